-- That somebody asked a run to stop. Written before Temporal is told: a buy of that run is never marked SENT afterwards,
-- however long no worker was there to hear of it. No reference to run: a run that no worker has opened yet has no row.
create table run_cancel (
  run_id text primary key,
  mode text not null check (mode in ('simulated', 'paper', 'live')),
  actor text not null,
  asked_at timestamptz(3) not null default now()
);
