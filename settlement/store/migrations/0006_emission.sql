-- Emission by days, the work bonus, payments that had to wait, disputes, and owners.

-- Work of a day, by account; a day's rows are final once it is closed, but for the bonus.
CREATE TABLE account_days (
  day integer NOT NULL CHECK (day >= 0),  -- since 1970-01-01 UTC
  account_id bigint NOT NULL,
  gross_utok bigint NOT NULL CHECK (gross_utok >= 0),  -- of its own work that was paid for
  notional bigint NOT NULL CHECK (notional >= 0),      -- of work settled, sold or bought
  bonus_utok bigint CHECK (bonus_utok >= 0),           -- once the day is closed
  bonus_event bigint,                                  -- once that is paid; never where it is 0
  bonus_decision bigint,                               -- likewise
  PRIMARY KEY (day, account_id),
  CHECK (bonus_event IS NULL OR bonus_utok > 0),
  CHECK ((bonus_event IS NULL) = (bonus_decision IS NULL)),
  CONSTRAINT account_days_bonus CHECK (bonus_utok * 25 <= gross_utok)  -- 4% of its own
);
CREATE INDEX account_days_unpaid ON account_days (day, account_id)
  WHERE bonus_utok > 0 AND bonus_event IS NULL;
GRANT SELECT, INSERT, UPDATE ON account_days TO warpbook_settlement;

-- One row for each day that was closed.
CREATE TABLE epochs (
  day integer PRIMARY KEY,
  budget_utok bigint NOT NULL CHECK (budget_utok >= 0),
  emitted_utok bigint NOT NULL CHECK (emitted_utok >= 0),  -- to pay for work
  bonus_utok bigint NOT NULL CHECK (bonus_utok >= 0),
  gross_utok bigint NOT NULL CHECK (gross_utok >= 0),
  retired_utok bigint NOT NULL CHECK (retired_utok >= 0),  -- of the vault's surplus
  decision_number bigint NOT NULL UNIQUE,
  closed_event bigint NOT NULL UNIQUE,
  closed_at_us bigint NOT NULL,
  CONSTRAINT epochs_budget CHECK (emitted_utok + bonus_utok <= budget_utok)
);
GRANT SELECT, INSERT ON epochs TO warpbook_settlement;

-- The day that is under way; none before the market's first command.
CREATE TABLE current_day (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  day integer NOT NULL,
  budget_utok bigint NOT NULL,
  emitted_utok bigint NOT NULL,
  coverage text NOT NULL CHECK (coverage IN ('sound', 'warning', 'stressed')),
  CHECK (emitted_utok BETWEEN 0 AND budget_utok)
);
GRANT SELECT, INSERT, UPDATE ON current_day TO warpbook_settlement;

CREATE TABLE owners (
  id bigint PRIMARY KEY,
  account_id bigint NOT NULL UNIQUE,
  verified boolean NOT NULL,  -- an operator's word
  large boolean NOT NULL      -- above the thresholds, as the engine was told
);
INSERT INTO owners SELECT owner_id, id, false, false FROM accounts WHERE kind = 'member';
GRANT SELECT, INSERT, UPDATE ON owners TO warpbook_settlement;

-- Each time that an owner came above the thresholds, or fell below them.
CREATE TABLE owner_marks (
  decision_number bigint PRIMARY KEY,
  event bigint NOT NULL UNIQUE,
  owner_id bigint NOT NULL,
  large boolean NOT NULL
);
GRANT SELECT, INSERT ON owner_marks TO warpbook_settlement;

ALTER TABLE lease_records
  ADD emitted_utok bigint,                       -- of what provider and fee got; null until settled
  ADD owed_left bigint NOT NULL DEFAULT 0,       -- of `owed`, what is not paid yet
  ADD disputed_at_us bigint,
  ADD deposit bigint NOT NULL DEFAULT 0,         -- of a dispute, beside the escrow
  ADD verdict text CHECK (verdict IN ('founded', 'unfounded')),  -- an operator's, or settled by it
  ADD share integer NOT NULL DEFAULT 10000 CHECK (share BETWEEN 0 AND 10000),
  ADD judged_because text;                       -- an operator's reason
UPDATE lease_records SET emitted_utok = 0, owed_left = owed WHERE state = 'settled';
ALTER TABLE lease_records
  DROP CONSTRAINT lease_records_state_check,
  ADD CONSTRAINT lease_records_state_check CHECK (
    state IN ('reserved', 'active', 'delivered', 'failed', 'settled', 'resold', 'disputed')),
  ADD CONSTRAINT lease_records_emitted CHECK ((state = 'settled') = (emitted_utok IS NOT NULL)),
  ADD CONSTRAINT lease_records_owed
    CHECK (owed_left >= 0 AND (state = 'settled' OR owed_left = 0) AND owed_left <= coalesce(owed, 0)),
  ADD CONSTRAINT lease_records_dispute CHECK (
    (disputed_at_us IS NULL) = (deposit = 0) AND (verdict IS NULL OR deposit > 0)
    AND (judged_because IS NULL OR verdict IS NOT NULL));
CREATE INDEX lease_records_owed_left ON lease_records (settled_event) WHERE owed_left > 0;

-- What was paid later of what leases were owed.
CREATE TABLE deferred_payments (
  decision_number bigint PRIMARY KEY,
  lease_id bigint NOT NULL REFERENCES lease_records,
  event bigint NOT NULL UNIQUE,
  paid_at_us bigint NOT NULL,
  consumed bigint NOT NULL CHECK (consumed > 0),
  gross_utok bigint NOT NULL,
  provider_utok bigint NOT NULL,
  fee_utok bigint NOT NULL,
  retire_utok bigint NOT NULL,
  emitted_utok bigint NOT NULL
);
CREATE INDEX deferred_payments_lease ON deferred_payments (lease_id);
GRANT SELECT, INSERT ON deferred_payments TO warpbook_settlement;

ALTER TABLE outbox
  DROP CONSTRAINT outbox_kind_check,
  ADD CONSTRAINT outbox_kind_check CHECK (
    kind IN ('post_deposit', 'post_withdrawal', 'post_top_up', 'refuse_request', 'settle_lease',
             'pay_deferred', 'close_epoch', 'pay_bonus', 'mark_owner')),
  ADD emitted_utok bigint NOT NULL DEFAULT 0,
  ADD verdict text NOT NULL DEFAULT 'none' CHECK (verdict IN ('none', 'founded', 'unfounded')),
  ADD day integer NOT NULL DEFAULT 0,
  ADD budget_utok bigint NOT NULL DEFAULT 0,
  ADD bonus_utok bigint NOT NULL DEFAULT 0,
  ADD account_id bigint NOT NULL DEFAULT 0,
  ADD owner_id bigint NOT NULL DEFAULT 0,
  ADD large boolean NOT NULL DEFAULT false;
