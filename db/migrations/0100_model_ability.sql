-- What a model was found able to do when it was probed, for each API of its server. The analyst takes it in place of names.
create table model_ability (
  mode text not null check (mode in ('simulated', 'paper', 'live')),
  base_url text not null check (base_url <> ''),
  model text not null check (model <> ''),
  api text not null check (api in ('responses', 'chat')),
  answers boolean not null,
  schema_kept boolean not null,
  pictures_seen boolean not null,
  found text not null,
  probed_at timestamptz(3) not null default now(),
  primary key (mode, base_url, model, api)
);
