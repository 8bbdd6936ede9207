-- People and how they prove who they are. A database belongs to one mode for ever, so these rows need no mode of their own.
create table keel_user (
  id uuid primary key default gen_random_uuid(),
  email text not null check (email = lower(email) and email like '%_@_%'),
  username text not null check (username ~ '^[a-z0-9][a-z0-9._-]{1,31}$'),
  role text not null check (role in ('viewer', 'trader', 'admin')),
  active boolean not null default true,
  -- Null for one who only comes in through an identity provider.
  password_hash text check (password_hash like '$argon2id$%'),
  must_change_password boolean not null default false,
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now(),
  constraint keel_user_email unique (email),
  constraint keel_user_username unique (username)
);

-- One sign-in: the family of its refresh tokens.
create table login (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references keel_user (id),
  created_at timestamptz(3) not null default now(),
  expires_at timestamptz(3) not null,
  ended_at timestamptz(3),
  end_reason text,
  constraint login_end_is_whole check ((ended_at is null) = (end_reason is null))
);
create index login_open on login (user_id) where ended_at is null;

-- SHA-256 of each token that was given, lower-case hex. A token that was used names the one that followed it.
create table refresh_token (
  hash text primary key check (hash ~ '^[0-9a-f]{64}$'),
  login_id uuid not null references login (id) on delete cascade,
  created_at timestamptz(3) not null default now(),
  used_at timestamptz(3),
  successor text,
  constraint refresh_token_use_is_whole check ((used_at is null) = (successor is null))
);
create index refresh_token_login on refresh_token (login_id);

-- Attempts to prove who one is; counted as failed until they have succeeded. Kept for a day.
create table access_attempt (
  id bigint generated always as identity primary key,
  kind text not null,
  -- What was tried: SHA-256 of the account's name, so that a password typed into the wrong field is not kept.
  subject text not null,
  address text not null,
  at timestamptz(3) not null default now(),
  succeeded boolean not null default false
);
create index access_attempt_subject on access_attempt (kind, subject, at);
create index access_attempt_address on access_attempt (kind, address, at);
create index access_attempt_at on access_attempt (at);
