-- The last look of each monitor; older ones are in Temporal's histories.
create table monitor_result (
  mode text not null check (mode in ('simulated', 'paper', 'live')),
  name text not null check (name <> ''),
  status text not null check (status in ('ok', 'warning', 'failed')),
  message text not null,
  facts jsonb not null,
  at timestamptz(3) not null,
  ms integer not null check (ms >= 0),
  primary key (mode, name)
);

-- An account over time, as the KPI monitor sees it; one row for each market time that brought news.
create table equity_snapshot (
  mode text not null check (mode in ('simulated', 'paper', 'live')),
  account_id text not null,
  market_time timestamptz(3) not null,
  at timestamptz(3) not null default now(),
  equity numeric not null check (equity > '-Infinity' and equity < 'Infinity'),
  cash numeric not null check (cash > '-Infinity' and cash < 'Infinity'),
  exposure numeric not null check (exposure >= 0 and exposure < 'Infinity'),
  day_result numeric check (day_result > '-Infinity' and day_result < 'Infinity'),
  win_rate numeric check (win_rate between 0 and 1),
  closed_trades integer not null check (closed_trades >= 0),
  primary key (mode, account_id, market_time)
);
