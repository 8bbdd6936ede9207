-- What the rules said beside a model: of each timeframe, and of the decision. Kept for comparison; nothing is ordered by it.
create table rules_opinion (
  run_id text not null references run (id),
  mode text not null check (mode in ('simulated', 'paper', 'live')),
  part text not null check (part in ('daily', 'weekly', 'decision')),
  version text not null,
  score double precision check (score between -1 and 1),
  action text check (action in ('buy', 'sell', 'hold')),
  entry numeric,
  stop numeric,
  target numeric,
  reasons jsonb not null,
  created_at timestamptz(3) not null default now(),
  primary key (run_id, part)
);
