-- The ledger: double entry, append-only, one row per transfer. Amounts are micro-TOK or credits
-- (1/60 micro-USD). An account is a number: the exchange account that it belongs to (0: the
-- exchange itself) x 16 + what it holds (settlement/ledger/accounts.h).

CREATE TYPE asset AS ENUM ('TOK', 'CREDIT');

-- What an account can hold.
CREATE TABLE holdings (
  slot smallint PRIMARY KEY CHECK (slot BETWEEN 1 AND 15),
  holding text NOT NULL UNIQUE,
  asset asset NOT NULL,
  of_member boolean NOT NULL
);
INSERT INTO holdings (slot, holding, asset, of_member) VALUES
  (1, 'issuance', 'TOK', false),
  (2, 'vault', 'TOK', false),
  (3, 'outside', 'TOK', false),
  (4, 'fee', 'TOK', false),
  (5, 'issued', 'CREDIT', false),
  (6, 'consumed', 'CREDIT', false),
  (7, 'burned', 'CREDIT', false),
  (8, 'tokens', 'TOK', true),
  (9, 'free', 'CREDIT', true),
  (10, 'locked', 'CREDIT', true),
  (11, 'escrow', 'CREDIT', true),
  (12, 'owed', 'CREDIT', true);
GRANT SELECT ON holdings TO warpbook_settlement;

-- Whether there is such an account: the exchange's own have no member, all others have one.
CREATE FUNCTION is_account(account bigint) RETURNS boolean LANGUAGE sql IMMUTABLE AS
  $$ SELECT account BETWEEN 1 AND 7 OR (account >= 16 AND account % 16 BETWEEN 8 AND 12) $$;

CREATE TABLE transfers (
  event_sequence bigint NOT NULL CHECK (event_sequence >= 0),  -- of the journal; 0: genesis
  leg smallint NOT NULL CHECK (leg >= 0),
  asset asset NOT NULL,
  debit_account bigint NOT NULL,   -- gives
  credit_account bigint NOT NULL,  -- receives
  amount bigint NOT NULL CHECK (amount > 0),
  lease_id bigint CHECK (lease_id > 0),
  PRIMARY KEY (event_sequence, leg),
  CHECK (is_account(debit_account) AND is_account(credit_account)),
  CHECK (debit_account <> credit_account),
  CHECK ((asset = 'TOK') = (debit_account % 16 IN (1, 2, 3, 4, 8))),
  CHECK ((asset = 'TOK') = (credit_account % 16 IN (1, 2, 3, 4, 8)))
);
CREATE INDEX transfers_lease ON transfers (lease_id) WHERE lease_id IS NOT NULL;
GRANT SELECT, INSERT ON transfers TO warpbook_settlement;

-- The second line: not even the owner changes what was posted by mistake.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% of % refused: what is posted is never changed', TG_OP, TG_TABLE_NAME;
END
$$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON transfers
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The sum of an account's transfers: credited minus debited. Only the two sources are negative.
CREATE TABLE account_balances (
  account bigint PRIMARY KEY CHECK (is_account(account)),
  balance bigint NOT NULL,
  CHECK (balance >= 0 OR account IN (1, 5))
) WITH (fillfactor = 70);
GRANT SELECT, INSERT, UPDATE ON account_balances TO warpbook_settlement;

-- Published counters of TOK: each the sum of one kind of transfer.
CREATE TABLE supply_counters (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  genesis_utok bigint NOT NULL,
  emitted_utok bigint NOT NULL,
  deposited_utok bigint NOT NULL,
  burned_utok bigint NOT NULL,
  reminted_provider_utok bigint NOT NULL,
  reminted_fee_utok bigint NOT NULL,
  retired_utok bigint NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON supply_counters TO warpbook_settlement;

-- How far the journal is posted: moved by the transaction that posts, so that nothing is posted
-- twice or left out.
CREATE TABLE journal_cursor (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  sequence bigint NOT NULL,         -- of the last command
  event_sequence bigint NOT NULL,   -- of the last event
  market_time_us bigint NOT NULL,   -- of the last command
  decision_number bigint NOT NULL,  -- the highest that the engine took
  command_hash bigint NOT NULL      -- of the last command and its events: names the journal
);
GRANT SELECT, INSERT, UPDATE ON journal_cursor TO warpbook_settlement;

-- What was posted once would be posted again: it never moves backwards, nor away.
CREATE FUNCTION refuse_return() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF new.sequence < old.sequence OR new.event_sequence < old.event_sequence
      OR new.market_time_us < old.market_time_us OR new.decision_number < old.decision_number THEN
    RAISE EXCEPTION 'the cursor never moves backwards: it is at sequence %, event %',
      old.sequence, old.event_sequence;
  END IF;
  RETURN new;
END
$$;
CREATE TRIGGER forward_only BEFORE UPDATE ON journal_cursor
  FOR EACH ROW EXECUTE FUNCTION refuse_return();
CREATE TRIGGER never_removed BEFORE DELETE OR TRUNCATE ON journal_cursor
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The engine's last word on its own totals of credits.
CREATE TABLE engine_checkpoint (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  event_sequence bigint NOT NULL,
  decision_number bigint NOT NULL,
  issued bigint NOT NULL,
  free bigint NOT NULL,
  locked bigint NOT NULL,
  escrow bigint NOT NULL,
  owed bigint NOT NULL,
  consumed bigint NOT NULL,
  burned bigint NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON engine_checkpoint TO warpbook_settlement;

-- For people.
CREATE VIEW balances AS
  SELECT b.account / 16 AS member, h.holding, h.asset, b.balance,
         CASE h.asset
           WHEN 'TOK' THEN round(b.balance / 1000000::numeric, 6)
           ELSE trunc(b.balance / 60000000::numeric, 6)
         END AS tok_or_usd
  FROM account_balances b JOIN holdings h ON h.slot = b.account % 16;
CREATE VIEW ledger AS
  SELECT t.event_sequence, t.leg, t.asset,
         t.debit_account / 16 AS from_member, d.holding AS from_holding,
         t.credit_account / 16 AS to_member, c.holding AS to_holding, t.amount, t.lease_id
  FROM transfers t
    JOIN holdings d ON d.slot = t.debit_account % 16
    JOIN holdings c ON c.slot = t.credit_account % 16;
GRANT SELECT ON balances, ledger TO warpbook_settlement;
