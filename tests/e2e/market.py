"""The exchange as its users run it, for tests: real processes on loopback.

What is in this folder:
  market.py           a private PostgreSQL, `warpbook serve` and `warpbook-settlement serve`
  client.py           an independent client: its own signing, its own books, every message checked
  token_arithmetic.py 2-tokens of the design once more, in Python's own integers: the oracle
  market_test_case.py members, operators and constant prices for the tests below
  trading_test.py     orders, books and private channels
  settlement_test.py  leases from fill to ledger
  bad_input_test.py   each malformed or forbidden message has its own answer
  bad_start_test.py   what is wrong before the start stops it with one sentence
  crash_test.py       kill -9 of each process under load

The binaries come from WARPBOOK_BINARY and WARPBOOK_SETTLEMENT_BINARY (CMake sets them). Python 3.11,
Debian's python3-websockets and python3-cryptography; nothing but loopback is used.
"""
