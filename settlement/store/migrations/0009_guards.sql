-- What was settled is guarded twice, as transfers are; indexes that cost more than they gave; work sold.

-- Work sold, by day: a provider's share is told from a row for each day, not from all its leases.
ALTER TABLE account_days ADD sold bigint NOT NULL DEFAULT 0 CHECK (sold BETWEEN 0 AND notional);
UPDATE account_days d SET sold = least(notional, work.sold)
  FROM (SELECT provider, settled_at_us / 86400000000 AS day, sum(verified)::bigint AS sold
        FROM lease_records WHERE state = 'settled' GROUP BY 1, 2) AS work
  WHERE work.provider = d.account_id AND work.day = d.day;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON epochs
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON deferred_payments
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON owner_marks
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Of a settled lease only what is left owed changes, and only to less.
CREATE FUNCTION refuse_change_of_settled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF to_jsonb(new) - 'owed_left' <> to_jsonb(old) - 'owed_left' OR new.owed_left > old.owed_left THEN
    RAISE EXCEPTION 'lease % is settled: what is posted is never changed', old.id;
  END IF;
  RETURN new;
END
$$;
CREATE TRIGGER settled_once BEFORE UPDATE ON lease_records
  FOR EACH ROW WHEN (old.settled_event IS NOT NULL) EXECUTE FUNCTION refuse_change_of_settled();
CREATE FUNCTION refuse_change_of_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% of % refused: what is posted is never changed', TG_OP, TG_TABLE_NAME;
END
$$;
CREATE TRIGGER decided_once BEFORE UPDATE ON requests
  FOR EACH ROW WHEN (old.decision_number IS NOT NULL) EXECUTE FUNCTION refuse_change_of_row();
CREATE TRIGGER paid_once BEFORE UPDATE ON account_days
  FOR EACH ROW WHEN (old.bonus_event IS NOT NULL) EXECUTE FUNCTION refuse_change_of_row();

-- A column that an index's condition names counts as indexed: with `state` there no lease was written
-- again in its own page.
DROP INDEX lease_records_settled;
CREATE INDEX lease_records_settled ON lease_records (settled_at_us) WHERE settled_event IS NOT NULL;
-- No question of the service's asks for these; each cost an entry for every fill.
DROP INDEX lease_records_buyer, lease_records_provider, lease_legs_trader, deferred_payments_lease;
