-- The broker's login: one row each, kept by the one workflow that owns it, and what it has told.
create table broker_session (
  mode text not null check (mode in ('simulated', 'paper', 'live')),
  login text not null check (login <> ''),
  phase text not null check (phase in ('starting', 'up', 'lost', 'competing', 'needs-login')),
  reason text,
  -- When the phase began, and the last look at it.
  since timestamptz(3) not null,
  checked_at timestamptz(3) not null,
  -- What the rules need to go on where they were: domain/brokerSession.
  state jsonb not null,
  primary key (mode, login)
);

create table broker_session_event (
  id bigint generated always as identity primary key,
  at timestamptz(3) not null,
  mode text not null check (mode in ('simulated', 'paper', 'live')),
  login text not null,
  kind text not null check (kind in ('up', 'lost', 'competing', 'needs-login')),
  reason text
);
create index broker_session_event_login on broker_session_event (login, at);
