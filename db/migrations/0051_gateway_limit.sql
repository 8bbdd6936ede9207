-- When the next request under a limit of a gateway may go out, for all processes that share it. By the database's clock.
-- Lost rows only cost a moment of care, so they are not written ahead.
create unlogged table gateway_limit (
  gateway text not null,
  name text not null,
  free_at timestamptz not null,
  primary key (gateway, name)
);
