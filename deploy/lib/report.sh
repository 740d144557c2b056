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

# The ids of the orders that the journal has accepted, one per line.
journal_orders() {
  "$WARPBOOK" journal dump "$JOURNAL" |
    sed -n 's/^[^ ]* [^ ]*   OrderAccepted .* order_id=\([0-9]*\) .*/\1/p'
}

# missing_orders FILE: of the ids in $ACKNOWLEDGED, those that are not in the file.
missing_orders() { comm -23 <(sort -u "$ACKNOWLEDGED") <(sort -u "$1"); }

# invariants ORDERS_FILE: every invariant with PASS or FAIL; status 0 only if all pass.
invariants() {
  local status=0 proof missing
  make_database "$REPLAY_DATABASE" anew
  "$SETTLEMENT" audit --database "$(conninfo warpbook_settlement)" --journal "$JOURNAL" \
    --replay-into "$(conninfo postgres "$REPLAY_DATABASE")" || status=1
  proof=$("$WARPBOOK" journal verify "$JOURNAL" 2>&1) || true
  verdict "replaying the journal reproduces every event and the engine's state" \
    "${proof//$'\n'/; }" test "${proof:0:20}" = "the journal is right" || status=1
  if [[ -e $ACKNOWLEDGED ]]; then
    missing=$(missing_orders "$1" | wc -l)
    verdict "every acknowledged order is in the journal" \
      "$(sort -u "$ACKNOWLEDGED" | wc -l) acknowledged, $missing missing" \
      test "$missing" = 0 || status=1
  fi
  return "$status"
}
