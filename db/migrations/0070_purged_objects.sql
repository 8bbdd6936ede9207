-- Objects that the retention has deleted although rows still name them: a chart that was shown, a model's raw answer. The rows
-- stay, with the hash of what was there. Marked before the object goes, and again once it is gone.
create table purged_object (
  key text primary key check (key <> ''),
  kind text not null check (kind in ('chart', 'answer')),
  bytes bigint not null check (bytes >= 0),
  purged_at timestamptz(3) not null default now(),
  gone boolean not null default false
);
