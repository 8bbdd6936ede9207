-- Who an identity provider says one is. Its subject names a person, never an e-mail, which may change hands.
create table oidc_identity (
  issuer text not null check (issuer <> ''),
  subject text not null check (subject <> ''),
  user_id uuid not null references keel_user (id),
  created_at timestamptz(3) not null default now(),
  last_used_at timestamptz(3),
  primary key (issuer, subject)
);
create index oidc_identity_user on oidc_identity (user_id);

-- Somebody on his way to the provider and back. SHA-256 of what the provider gives back and of what the browser keeps,
-- lower-case hex: only both together come through, once.
create table oidc_flow (
  state_hash text primary key check (state_hash ~ '^[0-9a-f]{64}$'),
  browser_hash text not null check (browser_hash ~ '^[0-9a-f]{64}$'),
  created_at timestamptz(3) not null default now(),
  expires_at timestamptz(3) not null,
  -- Who links his account, if it is not a login.
  link_user_id uuid references keel_user (id) on delete cascade,
  -- Who came back and still has to give the code of his second factor.
  identified_user_id uuid references keel_user (id) on delete cascade
);
create index oidc_flow_expires on oidc_flow (expires_at);
