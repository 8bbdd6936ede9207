-- What users, cash, holdings and trades of the simulator's own API are, as a copy of its ledger. Money has cents, quantities
-- ten-thousandths. Keys are stored as SHA-256 only.
create table ibkr_users (
  id bigint primary key,
  email text not null unique check (email <> ''),
  -- Several users may share one account of the broker: each then sees the same cash, holdings and trades.
  account text not null check (account <> ''),
  api_key_sha256 text not null unique check (api_key_sha256 ~ '^[0-9a-f]{64}$'),
  -- Null: the key does not expire.
  key_expires_at timestamptz(3),
  created_at timestamptz(3) not null
);
create index ibkr_users_account on ibkr_users (account);

create table ibkr_balances (
  user_id bigint primary key references ibkr_users,
  cash numeric(15,2) not null,
  currency text not null default 'USD' check (currency ~ '^[A-Z]{3}$'),
  -- Market time at which it was so.
  as_of timestamptz(3) not null
);

create table ibkr_stock_balances (
  id bigint generated always as identity primary key,
  user_id bigint not null references ibkr_users,
  ticker text not null check (ticker <> ''),
  quantity numeric(15,4) not null check (quantity > 0),
  -- What the shares held cost, commissions included.
  total_cost numeric(15,2) not null,
  average_price numeric(15,2) not null generated always as (round(total_cost / quantity, 2)) stored,
  as_of timestamptz(3) not null,
  unique (user_id, ticker)
);

create table ibkr_trades (
  id bigint generated always as identity primary key,
  user_id bigint not null references ibkr_users,
  -- Of the execution at the broker.
  trade_id text not null check (trade_id <> ''),
  order_id bigint not null,
  ticker text not null check (ticker <> ''),
  action text not null check (action in ('buy', 'sell')),
  quantity numeric(15,4) not null check (quantity > 0),
  price numeric(15,2) not null check (price > 0),
  -- To the cent: what a buy cost, what a sell brought, without the commission.
  amount numeric(15,2) not null check (amount >= 0),
  commission numeric(15,2) not null check (commission >= 0),
  -- Market time, and the machine's.
  traded_at timestamptz(3) not null,
  recorded_at timestamptz(3) not null,
  unique (user_id, trade_id)
);
create index ibkr_trades_order on ibkr_trades (user_id, order_id);

-- How much of which ledger the tables hold: one row. Written in the transaction of the rows themselves.
create table ibkr_ledger (
  only_row boolean primary key default true check (only_row),
  -- SHA-256 of the ledger's first line, which names it, and of the last line that is in the tables.
  first_sha256 text not null,
  last_sha256 text not null,
  -- Lines and bytes of the ledger that are in the tables.
  lines bigint not null check (lines > 0),
  bytes bigint not null check (bytes > 0),
  written_at timestamptz(3) not null default now()
);
