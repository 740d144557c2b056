# shellcheck shell=bash
# What the market has done, for people: a live line, and the table at the end. Sourced.
#
# The figures are the ledger's (`warpbook-settlement summary`: one compact JSON object whose inner
# objects are flat) and, for orders, the journal's.

readonly REPLAY_DATABASE=warpbook_replay # made and filled anew for each check

# summary: the ledger's totals as JSON.
summary() { "$SETTLEMENT" summary --database "$(conninfo warpbook_settlement)"; }

# field JSON NAME: a member's text or number; of an inner object as "tokens.burned".
field() {
  local json=$1 name=$2
  if [[ $name == *.* ]]; then
    if [[ ! $json =~ \"${name%%.*}\":\{([^}]*)\} ]]; then return; fi
    json=${BASH_REMATCH[1]}
    name=${name#*.}
  fi
  if [[ $json =~ \"$name\":\"?([^\",}]*) ]]; then printf '%s' "${BASH_REMATCH[1]}"; fi
}

# live_line JSON DEMO_LINE: one line; of the demo's own last line and the ledger's tokens.
live_line() {
  local demo=$2
  if [[ -z $demo ]]; then
    demo="$(field "$1" fills) fills  $(or_zero "$(field "$1" leases.settled)") leases settled"
  fi
  printf '%s  TOK burned %s minted %s' "$demo" "$(field "$1" tokens.burned)" "$(minted "$1")"
}

or_zero() { printf '%s' "${1:-0}"; }

# minted JSON: what was paid for work: re-minted to providers and as fees, and emitted.
minted() {
  local utok=0 part
  for part in reminted_provider_utok reminted_fee_utok emitted_utok; do
    utok=$((utok + $(or_zero "$(field "$1" "tokens.$part")")))
  done
  printf '%d.%06d' $((utok / 1000000)) $((utok % 1000000))
}

row() { printf '  %-24s %s\n' "$1" "$2"; }

# table JSON ORDERS
table() {
  say "This market, from its first run on:"
  row "orders" "$2"
  row "fills" "$(field "$1" fills)"
  row "GPU-hours sold" "$(field "$1" gpu_hours_sold)"
  row "GPU-hours resold" "$(field "$1" gpu_hours_resold)"
  row "GPU-hours delivered" "$(field "$1" gpu_hours_delivered)"
  row "leases settled" "$(or_zero "$(field "$1" leases.settled)")"
  row "TOK burned" "$(field "$1" tokens.burned)"
  row "TOK minted" "$(minted "$1")"
  row "TOK supply" "$(field "$1" tokens.supply)"
}

# verdict NAME DETAIL COMMAND...: PASS or FAIL, by the command's status, which it answers with.
verdict() {
  local name=$1 detail=$2 status=0
  shift 2
  "$@" || status=$?
  say "$(if ((status == 0)); then say PASS; else say FAIL; fi)  $name: $detail"
  return "$status"
}

# The orders that the journal has accepted, one per line: "order_id account_id client_order_id". The
# first is the exchange's own number, which it would give again after a loss; the last is the client's.
journal_orders() {
  local fields='.* account_id=([0-9]+) .* order_id=([0-9]+) .* client_order_id="?([^ "]+).*'
  "$WARPBOOK" journal dump "$JOURNAL" |
    sed -nE "s/^[^ ]+ [^ ]+   OrderAccepted $fields/\\2 \\1 \\3/p"
}

# The orders that clients were told are accepted, in the same form, each once.
acknowledged_orders() { if [[ -e $ACKNOWLEDGED ]]; then sort -u "$ACKNOWLEDGED"; fi; }

# missing_orders ORDERS_FILE: the acknowledged ones that are not in the file.
missing_orders() { comm -23 <(acknowledged_orders) <(sort -u "$1"); }

# The ids that were acknowledged for more than one order.
repeated_ids() { acknowledged_orders | cut -d ' ' -f 1 | sort | uniq -d; }

# acknowledged_verdict ORDERS_FILE: nothing that was promised is lost. Without a single promise there is
# nothing to tell, which is no success.
acknowledged_verdict() {
  local told missing repeated
  told=$(acknowledged_orders | wc -l)
  missing=$(missing_orders "$1" | wc -l)
  repeated=$(repeated_ids | wc -l)
  verdict "every acknowledged order is in the journal" \
    "$told acknowledged, $missing missing, $repeated ids given twice" \
    test $((told > 0 && missing == 0 && repeated == 0)) = 1
}

# journal_verdict: what `journal verify` finds, by its status. A long replay tells its progress on
# standard error, and there is the fault where there is one.
journal_verdict() {
  local proof status=0
  proof=$("$WARPBOOK" journal verify "$JOURNAL" 2>"$LOGS/verify.log") || status=$?
  if ((status != 0)); then proof=$(tail -n 1 "$LOGS/verify.log"); fi
  verdict "replaying the journal reproduces every event and the engine's state" \
    "${proof//$'\n'/; }" test "$status" = 0
}

# supply_verdict ADDRESS: what settlement publishes there of the supply adds up.
supply_verdict() {
  local told status=0
  told=$("$WARPBOOK" supply --settlement "$1" 2>"$LOGS/supply.log") || status=$?
  if ((status == 0)); then
    told=$(sed -nE 's/^= circulating supply +([0-9,.]+)$/\1 TOK circulate/p' <<<"$told")
  else
    told=$(tail -n 1 "$LOGS/supply.log")
  fi
  verdict "the published supply adds up" "$told" test "$status" = 0
}

# invariants ORDERS_FILE WITH_DEMO: every invariant with PASS or FAIL; status 0 only if all pass. With
# the demo (true) there must be orders that were acknowledged.
invariants() {
  local status=0
  make_database "$REPLAY_DATABASE" anew
  "$SETTLEMENT" audit --database "$(conninfo warpbook_settlement)" --journal "$JOURNAL" \
    --replay-into "$(conninfo postgres "$REPLAY_DATABASE")" || status=1
  journal_verdict || status=1
  if [[ $2 == true || -e $ACKNOWLEDGED ]]; then
    acknowledged_verdict "$1" || status=1
  fi
  return "$status"
}
