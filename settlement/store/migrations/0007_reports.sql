-- What reports are read from: when each transfer was posted, and an account's transfers in order.

-- The market's second in which the events from this one on were posted, up to the next row's: a row
-- for each second in which something moved. What moved before the first row moved before that time.
CREATE TABLE posting_seconds (
  first_event bigint PRIMARY KEY CHECK (first_event > 0),
  second bigint NOT NULL UNIQUE  -- since 1970 UTC
);
GRANT SELECT, INSERT ON posting_seconds TO warpbook_settlement;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON posting_seconds
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Where in the ledger a member's transfers are: spans of some thousand transfers in which it takes part,
-- none of which share an event. (An index of all transfers by member would cost as much as they do.)
CREATE TABLE member_postings (
  member bigint NOT NULL CHECK (member > 0),
  first_event bigint NOT NULL,
  last_event bigint NOT NULL CHECK (last_event >= first_event),
  PRIMARY KEY (member, first_event)
);
INSERT INTO member_postings
  SELECT member, min(event_sequence), max(event_sequence)
  FROM transfers CROSS JOIN LATERAL (VALUES (debit_account / 16), (credit_account / 16)) AS m (member)
  WHERE member > 0 GROUP BY member, event_sequence / 4096;
GRANT SELECT, INSERT ON member_postings TO warpbook_settlement;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON member_postings
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE INDEX requests_posted ON requests (account_id, decided_event) WHERE state = 'posted';
CREATE INDEX lease_records_settled ON lease_records (settled_at_us) WHERE state = 'settled';
