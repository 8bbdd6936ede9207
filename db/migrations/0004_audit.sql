-- Who did what to what. Rows are appended and never change.
create table audit (
  id bigint generated always as identity primary key,
  at timestamptz(3) not null default now(),
  mode text not null check (mode in ('simulated', 'paper', 'live')),
  actor text not null check (actor <> ''),
  action text not null check (action <> ''),
  subject text not null,
  facts jsonb not null
);
create index audit_subject on audit (subject);

create function audit_guard() returns trigger language plpgsql as $$
begin
  raise exception 'the audit trail only grows: % is refused', tg_op using errcode = 'KL002';
end $$;

create trigger audit_append_only before update or delete or truncate on audit
  for each statement execute function audit_guard();
