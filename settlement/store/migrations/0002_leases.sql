-- What the journal says of accounts, requests, prices and leases, and settlement's own decisions.
-- Times are microseconds since 1970 UTC, of the market's clock.

-- Names of the catalogue, for people; written at each start.
CREATE TABLE hardware_classes (id integer PRIMARY KEY, name text NOT NULL);
CREATE TABLE regions (id integer PRIMARY KEY, name text NOT NULL);
GRANT SELECT, INSERT, UPDATE ON hardware_classes, regions TO warpbook_settlement;

CREATE TABLE accounts (
  id bigint PRIMARY KEY,
  owner_id bigint NOT NULL,
  kind text NOT NULL CHECK (kind IN ('member', 'operator', 'settlement')),
  public_key bytea NOT NULL CHECK (length(public_key) = 32)
);
GRANT SELECT, INSERT ON accounts TO warpbook_settlement;

CREATE TABLE instruments (
  id bigint PRIMARY KEY,
  class_id integer NOT NULL,
  region_id integer NOT NULL,
  window_start_us bigint NOT NULL,
  window_minutes integer NOT NULL
);
GRANT SELECT, INSERT ON instruments TO warpbook_settlement;

-- Deposits and top-ups that were asked for. A reference posts one deposit, once.
CREATE TABLE requests (
  sequence bigint PRIMARY KEY,  -- of the command that asked
  kind text NOT NULL CHECK (kind IN ('deposit', 'top_up')),
  account_id bigint NOT NULL,
  amount_utok bigint NOT NULL,
  reference text NOT NULL,
  state text NOT NULL CHECK (state IN ('open', 'posted', 'refused')),
  decision_number bigint UNIQUE,
  decided_event bigint,
  reason integer NOT NULL,  -- RejectReason; 0 unless refused
  credits bigint NOT NULL,  -- what a posted top-up made
  CHECK ((state = 'open') = (decision_number IS NULL)),
  CHECK ((state = 'open') = (decided_event IS NULL))
);
CREATE UNIQUE INDEX requests_reference ON requests (reference)
  WHERE kind = 'deposit' AND state = 'posted';
CREATE INDEX requests_open ON requests (sequence) WHERE state = 'open';
GRANT SELECT, INSERT, UPDATE ON requests TO warpbook_settlement;

-- One per fill; its id is the trade's. The last columns are null until it is settled.
CREATE TABLE lease_records (
  id bigint PRIMARY KEY,
  instrument_id bigint NOT NULL,
  buyer bigint NOT NULL,
  provider bigint NOT NULL,
  node_id bigint NOT NULL,
  tier text NOT NULL,
  assurance text NOT NULL,
  price bigint NOT NULL,  -- micro-USD per GPU-hour
  gpus integer NOT NULL,
  minutes integer NOT NULL,
  notional bigint NOT NULL,
  surcharge bigint NOT NULL,
  delivery_start_us bigint NOT NULL,
  delivery_end_us bigint NOT NULL,
  traded_at_us bigint NOT NULL,
  state text NOT NULL CHECK (state IN ('reserved', 'active', 'delivered', 'failed', 'settled')),
  completed boolean NOT NULL,
  started_at_us bigint,
  delivered bit varying NOT NULL,  -- one bit per minute, the first minute first
  settled_minutes integer,
  verified bigint,
  consumed bigint,
  burned bigint,
  refunded bigint,
  owed bigint,
  gross_utok bigint,
  provider_utok bigint,
  fee_utok bigint,
  retire_utok bigint,
  decision_number bigint UNIQUE,
  settled_event bigint,
  settled_at_us bigint,
  CHECK (length(delivered) = minutes),
  CHECK ((state = 'settled') = (num_nonnulls(
    settled_minutes, verified, consumed, burned, refunded, owed, gross_utok, provider_utok,
    fee_utok, retire_utok, decision_number, settled_event, settled_at_us) = 13)),
  CONSTRAINT lease_records_escrow
    CHECK (state <> 'settled' OR consumed + burned + refunded + owed = notional + surcharge),
  CONSTRAINT lease_records_verified CHECK (state <> 'settled' OR verified = consumed + owed)
) WITH (fillfactor = 70);
CREATE INDEX lease_records_open ON lease_records (id) WHERE state <> 'settled';
CREATE INDEX lease_records_buyer ON lease_records (buyer);
CREATE INDEX lease_records_provider ON lease_records (provider);
GRANT SELECT, INSERT, UPDATE ON lease_records TO warpbook_settlement;

-- The last price.set, and the slow mean and variance of the medians so far.
CREATE TABLE price_feeds (
  feed smallint PRIMARY KEY,
  price bigint NOT NULL,  -- micro-USD per TOK; 0: none yet
  time_us bigint NOT NULL
);
CREATE TABLE price_state (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  mean bigint,  -- null until the first median
  variance bigint NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON price_feeds, price_state TO warpbook_settlement;

-- Decisions, numbered without gap, written before they are sent. Open until the journal gives them
-- back (posted_sequence) or gives others in their place (void).
CREATE TABLE outbox (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  number bigint NOT NULL CHECK (number > 0),
  kind text NOT NULL
    CHECK (kind IN ('post_deposit', 'post_top_up', 'refuse_request', 'settle_lease')),
  request_sequence bigint NOT NULL,
  credits bigint NOT NULL,
  reason integer NOT NULL,
  lease_id bigint NOT NULL,
  verified bigint NOT NULL,
  consumed bigint NOT NULL,
  burned bigint NOT NULL,
  refunded bigint NOT NULL,
  owed bigint NOT NULL,
  gross_utok bigint NOT NULL,
  provider_utok bigint NOT NULL,
  fee_utok bigint NOT NULL,
  retire_utok bigint NOT NULL,
  delivered_minutes integer NOT NULL,
  posted_sequence bigint,
  void boolean NOT NULL DEFAULT false,
  CHECK (NOT void OR posted_sequence IS NULL)
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX outbox_number ON outbox (number) WHERE NOT void;
CREATE INDEX outbox_open ON outbox (number) WHERE posted_sequence IS NULL AND NOT void;
GRANT SELECT, INSERT, UPDATE ON outbox TO warpbook_settlement;

-- For people.
CREATE FUNCTION market_time(microseconds bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS
  $$ SELECT timestamptz 'epoch' + microseconds * interval '1 microsecond' $$;
CREATE FUNCTION usd(credits bigint) RETURNS numeric LANGUAGE sql IMMUTABLE AS
  $$ SELECT trunc(credits / 60000000::numeric, 6) $$;
CREATE FUNCTION tok(micro_tok bigint) RETURNS numeric LANGUAGE sql IMMUTABLE AS
  $$ SELECT round(micro_tok / 1000000::numeric, 6) $$;
CREATE VIEW leases AS
  SELECT l.id,
         coalesce(c.name, 'class-' || i.class_id) || '.' ||
           coalesce(r.name, 'region-' || i.region_id) || '.' ||
           to_char(market_time(i.window_start_us) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI')
           AS symbol,
         l.state, round(l.price / 1000000::numeric, 6) AS price_usd, l.gpus, l.minutes,
         length(replace(l.delivered::text, '0', '')) AS heartbeats, l.settled_minutes,
         l.buyer, l.provider, l.node_id, l.tier, l.assurance, l.completed,
         l.notional, usd(l.notional) AS notional_usd,
         l.surcharge, usd(l.surcharge) AS surcharge_usd,
         l.consumed, usd(l.consumed) AS consumed_usd,
         l.burned, usd(l.burned) AS burned_usd,
         l.refunded, usd(l.refunded) AS refunded_usd,
         l.owed, usd(l.owed) AS owed_usd,
         tok(l.gross_utok) AS gross_tok, tok(l.provider_utok) AS provider_tok,
         tok(l.fee_utok) AS fee_tok, tok(l.retire_utok) AS retired_tok,
         market_time(l.traded_at_us) AS traded_at,
         market_time(l.delivery_start_us) AS delivery_start,
         market_time(l.delivery_end_us) AS delivery_end,
         market_time(l.started_at_us) AS started_at,
         market_time(l.settled_at_us) AS settled_at
  FROM lease_records l
    LEFT JOIN instruments i ON i.id = l.instrument_id
    LEFT JOIN hardware_classes c ON c.id = i.class_id
    LEFT JOIN regions r ON r.id = i.region_id;
GRANT SELECT ON leases TO warpbook_settlement;
