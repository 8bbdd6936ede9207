-- What a run found out. Bytes live in the object store; rows hold their key, hash and size.
create table market_data (
  run_id text not null references run (id),
  timeframe text not null check (timeframe in ('daily', 'weekly')),
  mode text not null check (mode in ('simulated', 'paper', 'live')),
  object_key text not null,
  object_sha256 text not null check (object_sha256 ~ '^[0-9a-f]{64}$'),
  object_bytes bigint not null check (object_bytes >= 0),
  bar_count integer not null check (bar_count >= 0),
  first_bar timestamptz(3) not null,
  last_bar timestamptz(3) not null,
  source text not null,
  created_at timestamptz(3) not null default now(),
  primary key (run_id, timeframe),
  check (first_bar <= last_bar)
);

create table chart (
  run_id text not null references run (id),
  timeframe text not null check (timeframe in ('daily', 'weekly')),
  mode text not null check (mode in ('simulated', 'paper', 'live')),
  object_key text not null,
  object_sha256 text not null check (object_sha256 ~ '^[0-9a-f]{64}$'),
  object_bytes bigint not null check (object_bytes >= 0),
  width integer not null check (width > 0),
  height integer not null check (height > 0),
  created_at timestamptz(3) not null default now(),
  primary key (run_id, timeframe)
);
create index chart_key on chart (object_key);

create table analysis (
  run_id text not null references run (id),
  timeframe text not null check (timeframe in ('daily', 'weekly')),
  mode text not null check (mode in ('simulated', 'paper', 'live')),
  analyst text not null,
  score double precision not null check (score between -1 and 1),
  parts jsonb not null,
  close double precision not null,
  atr double precision,
  support double precision,
  resistance double precision,
  last_bar timestamptz(3) not null,
  bar_count integer not null check (bar_count >= 0),
  reasons jsonb not null,
  created_at timestamptz(3) not null default now(),
  primary key (run_id, timeframe)
);

-- NaN sorts above Infinity in PostgreSQL, so "< Infinity" refuses both.
create table decision (
  run_id text primary key references run (id),
  mode text not null check (mode in ('simulated', 'paper', 'live')),
  action text not null check (action in ('buy', 'sell', 'hold')),
  entry numeric check (entry > 0 and entry < 'Infinity'),
  stop numeric check (stop > 0 and stop < 'Infinity'),
  target numeric check (target > 0 and target < 'Infinity'),
  r_coefficient numeric check (r_coefficient > '-Infinity' and r_coefficient < 'Infinity'),
  profit_margin numeric check (profit_margin > '-Infinity' and profit_margin < 'Infinity'),
  rationale text not null,
  analyst text not null,
  sources jsonb not null,
  input_key text not null,
  input_sha256 text not null check (input_sha256 ~ '^[0-9a-f]{64}$'),
  input_bytes bigint not null check (input_bytes >= 0),
  created_at timestamptz(3) not null default now()
);

create table risk_evaluation (
  run_id text not null references run (id),
  stage text not null check (stage in ('proposal', 'admission')),
  mode text not null check (mode in ('simulated', 'paper', 'live')),
  approved boolean not null,
  code text not null,
  quantity numeric not null check (quantity >= 0 and quantity < 'Infinity'),
  risk_amount numeric not null check (risk_amount > '-Infinity' and risk_amount < 'Infinity'),
  limited_by text not null check (limited_by in ('risk', 'position', 'cash', 'held', 'none')),
  checks jsonb not null,
  proposed_order jsonb,
  facts_key text not null,
  facts_sha256 text not null check (facts_sha256 ~ '^[0-9a-f]{64}$'),
  facts_bytes bigint not null check (facts_bytes >= 0),
  created_at timestamptz(3) not null default now(),
  primary key (run_id, stage)
);
