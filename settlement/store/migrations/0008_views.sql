-- For people: disputes, what is owed, and days.
CREATE VIEW disputes AS
  SELECT r.id AS lease, l.symbol, r.state, r.buyer, r.provider,
         market_time(r.disputed_at_us) AS disputed_at, r.deposit, usd(r.deposit) AS deposit_usd,
         r.verdict, round(r.share / 100::numeric, 2) AS share_percent, r.judged_because, l.settled_at
  FROM lease_records r JOIN leases l USING (id)
  WHERE r.disputed_at_us IS NOT NULL;
CREATE VIEW debts AS  -- the first row is paid first
  SELECT r.id AS lease, l.symbol, r.buyer, r.provider, l.settled_at,
         r.owed_left, usd(r.owed_left) AS owed_left_usd
  FROM lease_records r JOIN leases l USING (id)
  WHERE r.owed_left > 0 ORDER BY r.settled_event;
CREATE VIEW days AS
  SELECT date '1970-01-01' + day AS date, tok(budget_utok) AS budget_tok,
         tok(emitted_utok) AS emitted_tok, tok(bonus_utok) AS bonus_tok, tok(gross_utok) AS gross_tok,
         tok(retired_utok) AS retired_tok, market_time(closed_at_us) AS closed_at
  FROM epochs ORDER BY day;
GRANT SELECT ON disputes, debts, days TO warpbook_settlement;
