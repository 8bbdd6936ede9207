-- Which mode this database belongs to: one row for ever, written at first use.
create table database_mode (
  only_row boolean primary key default true check (only_row),
  mode text not null check (mode in ('simulated', 'paper', 'live')),
  claimed_at timestamptz(3) not null default now()
);

create table workflow (
  id text primary key,
  name text not null,
  steps jsonb not null,
  timeframes jsonb not null,
  analyst text not null,
  gates jsonb not null,
  created_at timestamptz(3) not null default now()
);

insert into workflow (id, name, steps, timeframes, analyst, gates) values (
  'standard',
  'Daily and weekly charts, one decision, one bracket',
  '["openRun", "resolveContract", "fetchBars daily", "fetchBars weekly", "renderChart daily", "renderChart weekly", "analyze daily", "analyze weekly", "decide", "evaluateRisk", "waitForMarket", "orderLifecycle", "closeRun"]',
  '["daily", "weekly"]',
  'rules',
  '{"approval": false}'
);

create table strategy (
  id text primary key check (id ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  name text not null check (name <> ''),
  mode text not null check (mode in ('simulated', 'paper', 'live')),
  active boolean not null default true,
  version integer not null check (version > 0),
  created_at timestamptz(3) not null default now()
);

create table strategy_version (
  strategy_id text not null references strategy (id),
  version integer not null check (version > 0),
  mode text not null check (mode in ('simulated', 'paper', 'live')),
  workflow_id text not null references workflow (id),
  settings jsonb not null,
  created_by text not null,
  created_at timestamptz(3) not null default now(),
  primary key (strategy_id, version)
);
create index strategy_version_workflow on strategy_version (workflow_id);

create table run (
  id text primary key,
  workflow_id text not null unique,
  mode text not null check (mode in ('simulated', 'paper', 'live')),
  strategy_id text not null,
  strategy_version integer not null,
  symbol text not null check (symbol <> ''),
  session date not null,
  slot text not null check (slot <> ''),
  status text not null default 'running'
    check (status in ('running', 'waiting', 'ended', 'failed', 'cancelled')),
  outcome text check (outcome in ('FILLED', 'NOT_FILLED', 'HOLD', 'NOTHING_TO_SELL', 'REFUSED', 'REJECTED',
    'NOT_SENT', 'UNPROTECTED', 'SENT_NOT_FOUND_EXPIRED', 'FAILED', 'CANCELLED')),
  code text,
  message text,
  waiting_for timestamptz(3),
  started_at timestamptz(3) not null default now(),
  ended_at timestamptz(3),
  foreign key (strategy_id, strategy_version) references strategy_version (strategy_id, version),
  constraint run_one_per_slot unique (strategy_id, symbol, session, slot),
  constraint run_waits_for_something check ((status = 'waiting') = (waiting_for is not null)),
  constraint run_end_is_whole check (
    (status in ('running', 'waiting')) = (ended_at is null)
    and (ended_at is null) = (outcome is null)
  )
);
create index run_newest on run (session desc, started_at desc);
create index run_open on run (started_at) where ended_at is null;

create table run_step (
  run_id text not null references run (id),
  position integer not null check (position >= 0),
  mode text not null check (mode in ('simulated', 'paper', 'live')),
  name text not null,
  started_at timestamptz(3) not null,
  -- Milliseconds; null for a step that never finished.
  ms integer check (ms >= 0),
  primary key (run_id, position)
);
