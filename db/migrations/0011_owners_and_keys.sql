-- Whose strategies and runs they are. Null: made before there were users; the first admin takes them over.
alter table strategy add owner_id uuid references keel_user (id);
create index strategy_owner on strategy (owner_id);
-- A run keeps the owner that its strategy had when it was opened.
alter table run add owner_id uuid references keel_user (id);
create index run_owner on run (owner_id, session desc, started_at desc);

create table api_key (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references keel_user (id),
  name text not null check (name <> ''),
  -- The key's visible part, by which it is found.
  prefix text not null check (prefix ~ '^[a-z2-7]{8}$'),
  -- SHA-256 of the secret part, lower-case hex.
  hash text not null check (hash ~ '^[0-9a-f]{64}$'),
  scopes jsonb not null,
  created_at timestamptz(3) not null default now(),
  expires_at timestamptz(3) not null,
  last_used_at timestamptz(3),
  revoked_at timestamptz(3),
  constraint api_key_prefix unique (prefix)
);
create index api_key_user on api_key (user_id);
