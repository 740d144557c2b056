-- Transfers in partitions by event sequence, each made before its first transfer, with two thirds of
-- what each row cost before; and leases whose rows change in place until they are settled.

DROP VIEW ledger;
ALTER TABLE transfers RENAME TO transfers_undivided;
ALTER TABLE transfers_undivided RENAME CONSTRAINT transfers_pkey TO transfers_undivided_pkey;
ALTER INDEX transfers_lease RENAME TO transfers_undivided_lease;

CREATE TABLE transfers (
  event_sequence bigint NOT NULL,  -- of the journal; 0: genesis
  leg smallint NOT NULL,
  asset asset NOT NULL,
  debit_account bigint NOT NULL,   -- gives
  credit_account bigint NOT NULL,  -- receives
  amount bigint NOT NULL,
  lease_id bigint,
  PRIMARY KEY (event_sequence, leg),
  CONSTRAINT transfers_numbers CHECK (
    leg >= 0 AND amount > 0 AND lease_id > 0 AND debit_account <> credit_account),
  -- Each an account (is_account) of the asset: the exchange's own have no member, all others one.
  CONSTRAINT transfers_accounts CHECK (
    CASE asset
      WHEN 'TOK' THEN
        (debit_account BETWEEN 1 AND 4 OR (debit_account >= 16 AND debit_account % 16 = 8))
        AND (credit_account BETWEEN 1 AND 4 OR (credit_account >= 16 AND credit_account % 16 = 8))
      ELSE
        (debit_account BETWEEN 5 AND 7 OR debit_account = 13
          OR (debit_account >= 16 AND debit_account % 16 BETWEEN 9 AND 12))
        AND (credit_account BETWEEN 5 AND 7 OR credit_account = 13
          OR (credit_account >= 16 AND credit_account % 16 BETWEEN 9 AND 12))
    END)
) PARTITION BY RANGE (event_sequence);
-- One filter for 32 pages instead of an entry for each row, which made a third of a transfer's cost:
-- a lease's transfers are in few of them. It serves no number but a bigint: see lease_ledger.
CREATE INDEX transfers_lease ON transfers USING brin (lease_id int8_bloom_ops)
  WITH (pages_per_range = 32, autosummarize = on);
GRANT SELECT, INSERT ON transfers TO warpbook_settlement;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON transfers
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Makes the partition of an event, where it is not there yet; returns the first event behind it. The
-- service may call it, and has no right to the partition itself: it goes through `transfers`. The
-- partition is attached when it is whole, which keeps no reader waiting.
CREATE FUNCTION open_transfers_partition(event bigint) RETURNS bigint
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  events_each CONSTANT bigint := 100000000;
  number CONSTANT bigint := event / events_each;
  name CONSTANT text := 'transfers_' || number;
BEGIN
  IF event < 0 THEN
    RAISE EXCEPTION 'event % is before the first', event;
  END IF;
  IF to_regclass(name) IS NULL THEN
    EXECUTE format('CREATE TABLE %I (LIKE transfers INCLUDING CONSTRAINTS INCLUDING INDEXES)', name);
    EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %I'
      ' FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', name);
    EXECUTE format('ALTER TABLE transfers ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)',
      name, number * events_each, (number + 1) * events_each);
  END IF;
  RETURN (number + 1) * events_each;
END
$$;
REVOKE ALL ON FUNCTION open_transfers_partition FROM PUBLIC;
GRANT EXECUTE ON FUNCTION open_transfers_partition TO warpbook_settlement;

-- What was posted before.
SELECT open_transfers_partition(first)
  FROM (SELECT generate_series(0, max(event_sequence), 100000000) AS first
        FROM transfers_undivided) AS partitions;
INSERT INTO transfers SELECT * FROM transfers_undivided ORDER BY event_sequence, leg;
DROP TABLE transfers_undivided;

CREATE VIEW ledger AS
  SELECT t.event_sequence, t.leg, t.asset,
         t.debit_account / 16 AS from_member, d.holding AS from_holding,
         t.credit_account / 16 AS to_member, c.holding AS to_holding, t.amount, t.lease_id
  FROM transfers t
    JOIN holdings d ON d.slot = t.debit_account % 16
    JOIN holdings c ON c.slot = t.credit_account % 16;
GRANT SELECT ON ledger TO warpbook_settlement;
-- Every transfer of a lease, with names, by the index.
CREATE FUNCTION lease_ledger(lease bigint) RETURNS SETOF ledger LANGUAGE sql STABLE AS
  $$ SELECT * FROM ledger WHERE lease_id = lease ORDER BY event_sequence, leg $$;

-- A row is written again in its own page, and no index is, where no index looks at what changes and
-- the page has room: for all of its rows at once, as a window's leases start and end together. So the
-- open ones are told by columns that change once, and a lease without a decision is in no index of
-- decisions.
ALTER TABLE lease_records SET (fillfactor = 45);
DROP INDEX lease_records_open;
CREATE INDEX lease_records_open ON lease_records (id) WHERE settled_event IS NULL AND gpus > 0;
ALTER TABLE lease_records DROP CONSTRAINT lease_records_decision_number_key;
CREATE UNIQUE INDEX lease_records_decision ON lease_records (decision_number)
  WHERE decision_number IS NOT NULL;
