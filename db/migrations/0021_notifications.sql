-- What people are told. A notification is written by whoever has news, in the transaction of the news, under a key that
-- names it: the same news is there once. Deliveries are its way to one person over one channel.
create table notification (
  id bigint generated always as identity primary key,
  mode text not null check (mode in ('simulated', 'paper', 'live')),
  key text not null check (key <> ''),
  event text not null check (event <> ''),
  title text not null,
  body text not null,
  facts jsonb not null,
  created_at timestamptz(3) not null default now(),
  fanned_out boolean not null default false,
  unique (mode, key)
);
create index notification_new on notification (id) where not fanned_out;

create table notification_setting (
  mode text not null check (mode in ('simulated', 'paper', 'live')),
  user_id text not null check (user_id <> ''),
  settings jsonb not null,
  updated_at timestamptz(3) not null default now(),
  primary key (mode, user_id)
);

create table notification_delivery (
  -- Given to the receiver with every attempt: what it has seen under this key it may drop.
  key text primary key,
  mode text not null check (mode in ('simulated', 'paper', 'live')),
  notification_id bigint not null references notification (id),
  user_id text not null,
  channel text not null check (channel in ('log', 'inbox', 'webhook', 'email', 'slack', 'telegram')),
  state text not null default 'pending' check (state in ('pending', 'sending', 'sent', 'failed')),
  attempts integer not null default 0,
  not_before timestamptz(3) not null default now(),
  last_error text,
  sent_at timestamptz(3),
  read_at timestamptz(3),
  unique (notification_id, user_id, channel)
);
create index notification_delivery_due on notification_delivery (not_before) where state in ('pending', 'sending');
create index notification_delivery_user on notification_delivery (user_id, notification_id desc);

-- The end of a run is news in the statement that ends it, whoever writes it.
create function run_end_notification() returns trigger language plpgsql as $$
begin
  insert into notification (mode, key, event, title, body, facts)
  values (
    new.mode,
    'run/' || new.id,
    case new.outcome
      when 'UNPROTECTED' then 'run.unprotected'
      when 'SENT_NOT_FOUND_EXPIRED' then 'run.lost'
      when 'FAILED' then 'run.failed'
      else 'run.ended'
    end,
    new.outcome || ' ' || new.symbol || ' ' || new.strategy_id,
    coalesce(new.message, new.code, new.outcome),
    jsonb_build_object('runId', new.id, 'strategyId', new.strategy_id, 'symbol', new.symbol, 'session', new.session,
      'slot', new.slot, 'outcome', new.outcome, 'code', new.code)
  )
  on conflict do nothing;
  return new;
end $$;

create trigger run_end_notification after update on run
  for each row when (old.ended_at is null and new.ended_at is not null and new.outcome is not null)
  execute function run_end_notification();
