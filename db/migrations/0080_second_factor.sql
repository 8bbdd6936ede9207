-- The second factor of a user: a secret that his authenticator knows too. It is sealed with a key that this database
-- does not hold.
create table second_factor (
  user_id uuid primary key references keel_user (id) on delete cascade,
  sealed_secret text not null check (sealed_secret like 'v1.%'),
  created_at timestamptz(3) not null default now(),
  -- Null until a first code has shown that the authenticator has the secret; nothing is asked for before.
  confirmed_at timestamptz(3),
  -- The last time step (RFC 6238) of which a code was taken: no code of it or of one before is taken again.
  last_step bigint not null default 0
);

-- SHA-256 of each code that comes in for a lost authenticator, lower-case hex; each is good once.
create table recovery_code (
  hash text primary key check (hash ~ '^[0-9a-f]{64}$'),
  user_id uuid not null references second_factor (user_id) on delete cascade,
  created_at timestamptz(3) not null default now(),
  used_at timestamptz(3)
);
create index recovery_code_user on recovery_code (user_id);

-- When a login has last proved the second factor.
alter table login add proven_at timestamptz(3);

-- Whether it is confirmed. It stands with the user, so that a login that is opened meanwhile waits for the same row.
alter table keel_user add second_factor boolean not null default false;
