-- An order we have decided to send. The row is there before the wire, and stays for ever: its key is never free again.
create table order_intent (
  client_order_id text primary key check (client_order_id <> ''),
  mode text not null check (mode in ('simulated', 'paper', 'live')),
  account_id text not null,
  run_id text not null references run (id),
  symbol text not null,
  conid text not null,
  side text not null check (side in ('BUY', 'SELL')),
  quantity numeric not null check (quantity > 0 and quantity < 'Infinity'),
  stop numeric check (stop > 0 and stop < 'Infinity'),
  target numeric check (target > 0 and target < 'Infinity'),
  reserved_cash numeric not null check (reserved_cash >= 0 and reserved_cash < 'Infinity'),
  valid_until timestamptz(3) not null,
  state text not null default 'INTENT' check (state in ('INTENT', 'SENT', 'NOT_SENT', 'ABANDONED', 'ACKNOWLEDGED',
    'REJECTED', 'UNKNOWN', 'FILLED', 'CANCELLED', 'EXPIRED', 'SENT_NOT_FOUND_EXPIRED')),
  broker_order_id text,
  filled_quantity numeric not null default 0 check (filled_quantity >= 0 and filled_quantity < 'Infinity'),
  average_price numeric check (average_price > 0 and average_price < 'Infinity'),
  legs jsonb not null default '[]',
  reason text,
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now(),
  -- What the poller watches: not terminal, given up for lost (it may still arrive), filled while its protective legs
  -- have not been seen, or with a leg that still works at the broker.
  is_open boolean not null generated always as (
    state in ('INTENT', 'SENT', 'ACKNOWLEDGED', 'UNKNOWN', 'SENT_NOT_FOUND_EXPIRED')
    or (filled_quantity > 0 and (stop is not null or target is not null) and legs = '[]'::jsonb)
    or jsonb_path_exists(legs,
      '$[*].status ? (@ == "PENDING" || @ == "WORKING" || @ == "PENDING_CANCEL")')
  ) stored
);
create index order_intent_run on order_intent (run_id);
create index order_intent_open on order_intent (account_id) where is_open;

create function order_intent_guard() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    raise exception 'order intent % can not be deleted: client order ids are used once, for ever', old.client_order_id
      using errcode = 'KL002';
  end if;
  if tg_op = 'INSERT' then
    if new.state <> 'INTENT' then
      raise exception 'order intent % must begin as INTENT, not as %', new.client_order_id, new.state
        using errcode = 'KL001';
    end if;
    return new;
  end if;
  if (new.client_order_id, new.mode, new.account_id, new.run_id, new.symbol, new.conid, new.side, new.quantity,
      new.stop, new.target, new.valid_until)
    is distinct from
     (old.client_order_id, old.mode, old.account_id, old.run_id, old.symbol, old.conid, old.side, old.quantity,
      old.stop, old.target, old.valid_until) then
    raise exception 'the terms of order intent % can not change once it is stored', old.client_order_id
      using errcode = 'KL002';
  end if;
  if new.state = old.state
    or (old.state = 'INTENT' and new.state in ('SENT', 'ABANDONED'))
    or (old.state = 'SENT' and new.state in ('NOT_SENT', 'ACKNOWLEDGED', 'REJECTED', 'UNKNOWN', 'FILLED',
        'CANCELLED', 'EXPIRED', 'SENT_NOT_FOUND_EXPIRED'))
    or (old.state = 'UNKNOWN' and new.state in ('ACKNOWLEDGED', 'REJECTED', 'FILLED', 'CANCELLED', 'EXPIRED',
        'SENT_NOT_FOUND_EXPIRED'))
    or (old.state = 'ACKNOWLEDGED' and new.state in ('REJECTED', 'FILLED', 'CANCELLED', 'EXPIRED'))
    -- A late arrival: the broker has it after all.
    or (old.state = 'SENT_NOT_FOUND_EXPIRED' and new.state in ('ACKNOWLEDGED', 'FILLED', 'CANCELLED'))
  then
    return new;
  end if;
  raise exception 'order intent % can not go from % to %', old.client_order_id, old.state, new.state
    using errcode = 'KL001';
end $$;

create trigger order_intent_guard before insert or update or delete on order_intent
  for each row execute function order_intent_guard();

-- The last whole read of an account. json, not jsonb: it is only ever written and read as one piece, every few seconds.
create table broker_snapshot (
  mode text not null check (mode in ('simulated', 'paper', 'live')),
  account_id text not null,
  read_started_at timestamptz(3) not null,
  market_time timestamptz(3) not null,
  market_step bigint not null check (market_step >= 0),
  body json not null,
  primary key (mode, account_id)
);

-- The broker's objects, mirrored. No foreign keys to our own rows: orders made elsewhere are here too.
create table "order" (
  mode text not null check (mode in ('simulated', 'paper', 'live')),
  account_id text not null,
  broker_order_id text not null,
  parent_broker_order_id text,
  client_order_id text,
  conid text not null,
  symbol text not null,
  side text not null check (side in ('BUY', 'SELL')),
  type text not null check (type in ('MKT', 'LMT', 'STP', 'OTHER')),
  time_in_force text not null,
  quantity numeric not null check (quantity >= 0 and quantity < 'Infinity'),
  filled_quantity numeric not null check (filled_quantity >= 0 and filled_quantity < 'Infinity'),
  average_price numeric check (average_price < 'Infinity'),
  price numeric check (price < 'Infinity'),
  status text not null
    check (status in ('PENDING', 'WORKING', 'PENDING_CANCEL', 'FILLED', 'CANCELLED', 'REJECTED')),
  reason text,
  first_seen_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now(),
  primary key (account_id, broker_order_id)
);
create index order_client_order_id on "order" (client_order_id) where client_order_id is not null;
create index order_parent on "order" (parent_broker_order_id) where parent_broker_order_id is not null;

create table execution (
  mode text not null check (mode in ('simulated', 'paper', 'live')),
  account_id text not null,
  execution_id text not null,
  broker_order_id text,
  client_order_id text,
  conid text not null,
  symbol text not null,
  side text not null check (side in ('BUY', 'SELL')),
  quantity numeric not null check (quantity > 0 and quantity < 'Infinity'),
  price numeric not null check (price > '-Infinity' and price < 'Infinity'),
  commission numeric not null check (commission > '-Infinity' and commission < 'Infinity'),
  executed_at timestamptz(3) not null,
  first_seen_at timestamptz(3) not null default now(),
  primary key (account_id, execution_id)
);
create index execution_client_order_id on execution (client_order_id) where client_order_id is not null;
create index execution_broker_order_id on execution (broker_order_id) where broker_order_id is not null;

create table position (
  mode text not null check (mode in ('simulated', 'paper', 'live')),
  account_id text not null,
  conid text not null,
  symbol text not null,
  quantity numeric not null check (quantity > '-Infinity' and quantity < 'Infinity'),
  average_cost numeric not null check (average_cost > '-Infinity' and average_cost < 'Infinity'),
  market_price numeric not null check (market_price > '-Infinity' and market_price < 'Infinity'),
  updated_at timestamptz(3) not null default now(),
  primary key (account_id, conid)
);
create index position_symbol on position (symbol);
