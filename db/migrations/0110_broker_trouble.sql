-- A login whose requests IBKR has limited, and why the broker's state could not be read the last time.
alter table broker_session drop constraint broker_session_phase_check;
alter table broker_session add constraint broker_session_phase_check
  check (phase in ('starting', 'up', 'lost', 'competing', 'needs-login', 'limited'));
alter table broker_session_event drop constraint broker_session_event_kind_check;
alter table broker_session_event add constraint broker_session_event_kind_check
  check (kind in ('up', 'lost', 'competing', 'needs-login', 'limited'));

create table broker_trouble (
  mode text not null check (mode in ('simulated', 'paper', 'live')),
  account_id text not null check (account_id <> ''),
  at timestamptz(3) not null,
  code text not null,
  message text not null,
  primary key (mode, account_id)
);
