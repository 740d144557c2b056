-- Tokens that go out again. A reference posts one deposit or one withdrawal, once.

ALTER TABLE requests
  DROP CONSTRAINT requests_kind_check,
  ADD CONSTRAINT requests_kind_check CHECK (kind IN ('deposit', 'top_up', 'withdrawal'));
DROP INDEX requests_reference;
CREATE UNIQUE INDEX requests_reference ON requests (reference)
  WHERE kind IN ('deposit', 'withdrawal') AND state = 'posted';

ALTER TABLE outbox
  DROP CONSTRAINT outbox_kind_check,
  ADD CONSTRAINT outbox_kind_check CHECK (
    kind IN ('post_deposit', 'post_withdrawal', 'post_top_up', 'refuse_request', 'settle_lease'));

ALTER TABLE supply_counters ADD withdrawn_utok bigint NOT NULL DEFAULT 0;
