-- Leases that are resold before their window: who paid what into their escrow, who gets a gain out of
-- it, and credits that pass from one account or lease to another.

INSERT INTO holdings (slot, holding, asset, of_member) VALUES (13, 'clearing', 'CREDIT', false);
CREATE OR REPLACE FUNCTION is_account(account bigint) RETURNS boolean LANGUAGE sql IMMUTABLE AS
  $$ SELECT account BETWEEN 1 AND 7 OR account = 13
       OR (account >= 16 AND account % 16 BETWEEN 8 AND 12) $$;

-- A resale takes GPUs, notional, surcharge and losses off the lease that it resells.
ALTER TABLE lease_records
  ADD provider_price bigint,                    -- that the provider is paid, per GPU-hour
  ADD losses bigint NOT NULL DEFAULT 0,         -- in escrow, of those who resold it at a loss
  ADD resold_gpus integer NOT NULL DEFAULT 0,   -- that other leases were made from
  ADD resold_refunded bigint NOT NULL DEFAULT 0,  -- what left its escrow then: to the buyer,
  ADD resold_burned bigint NOT NULL DEFAULT 0,    -- of the surcharge,
  ADD resold_cleared bigint NOT NULL DEFAULT 0,   -- to those other leases' escrow
  ADD verified_weight bigint,                   -- GPU-minutes x 10,000
  ADD gains bigint;                             -- to those who resold it at a gain
UPDATE lease_records SET provider_price = price;
UPDATE lease_records SET gains = 0, verified_weight = settled_minutes::bigint * gpus * 10000
  WHERE state = 'settled';
ALTER TABLE lease_records
  ALTER provider_price SET NOT NULL,
  DROP CONSTRAINT lease_records_escrow,
  DROP CONSTRAINT lease_records_state_check,
  ADD CONSTRAINT lease_records_state_check CHECK (
    state IN ('reserved', 'active', 'delivered', 'failed', 'settled', 'resold')),
  ADD CONSTRAINT lease_records_resold CHECK ((state = 'resold') = (gpus = 0)),
  ADD CONSTRAINT lease_records_weight
    CHECK ((state = 'settled') = (num_nonnulls(verified_weight, gains) = 2)),
  ADD CONSTRAINT lease_records_escrow CHECK (
    state <> 'settled'
    OR consumed + burned + refunded + owed + gains = notional + surcharge + losses);
DROP INDEX lease_records_open;
CREATE INDEX lease_records_open ON lease_records (id) WHERE state NOT IN ('settled', 'resold');

-- What resales left in a lease, oldest first: price = provider_price + the sum of the differences.
CREATE TABLE lease_legs (
  lease_id bigint NOT NULL REFERENCES lease_records,
  leg smallint NOT NULL CHECK (leg >= 0),
  trader bigint NOT NULL,
  difference bigint NOT NULL CHECK (difference <> 0),  -- per GPU-hour: a gain, or (below 0) a loss
  PRIMARY KEY (lease_id, leg)
);
CREATE INDEX lease_legs_trader ON lease_legs (trader);
GRANT SELECT, INSERT ON lease_legs TO warpbook_settlement;

ALTER TABLE outbox ADD verified_weight bigint NOT NULL DEFAULT 0;

CREATE OR REPLACE VIEW leases AS
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
         market_time(l.settled_at_us) AS settled_at,
         round(l.provider_price / 1000000::numeric, 6) AS provider_price_usd, l.resold_gpus,
         l.losses, usd(l.losses) AS losses_usd, l.gains, usd(l.gains) AS gains_usd
  FROM lease_records l
    LEFT JOIN instruments i ON i.id = l.instrument_id
    LEFT JOIN hardware_classes c ON c.id = i.class_id
    LEFT JOIN regions r ON r.id = i.region_id;
