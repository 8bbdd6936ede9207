-- The buy that a panel is given, and what it was decided from: named from before the panel's first call, so that every backup
-- has both, no sweep takes them, and a buy that was paid for is there whatever became of the panel.
create table proposed_decision (
  run_id text primary key references run (id),
  mode text not null check (mode in ('simulated', 'paper', 'live')),
  object_key text not null,
  object_sha256 text not null check (object_sha256 ~ '^[0-9a-f]{64}$'),
  object_bytes bigint not null check (object_bytes >= 0),
  input_key text not null,
  input_sha256 text not null check (input_sha256 ~ '^[0-9a-f]{64}$'),
  input_bytes bigint not null check (input_bytes >= 0),
  created_at timestamptz(3) not null default now()
);
