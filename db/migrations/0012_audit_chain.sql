-- The audit trail becomes a chain: each row holds the hash of the one before it, so that no row can be changed, taken out
-- or put in between without breaking every hash after it.
alter table audit add position bigint, add previous_hash text, add hash text;

-- SHA-256 over each part with its length in bytes before it, so that no two rows have the same text. db/auditChain.ts
-- computes the same without this function.
create function audit_hash(previous text, place bigint, happened timestamptz, row_mode text, who text, what text,
  about text, details jsonb) returns text language sql stable as $$
  select encode(sha256(convert_to(string_agg(octet_length(part) || ':' || part, '' order by n), 'UTF8')), 'hex')
  from unnest(array[previous, place::text, to_char(happened at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    row_mode, who, what, about, details::text]) with ordinality as parts (part, n)
$$;

alter table audit disable trigger audit_append_only;
do $$
declare
  entry record;
  place bigint := 0;
  before text := repeat('0', 64);
begin
  for entry in select * from audit order by id loop
    place := place + 1;
    update audit set position = place, previous_hash = before, hash = audit_hash(before, place, entry.at, entry.mode,
      entry.actor, entry.action, entry.subject, entry.facts)
    where id = entry.id returning hash into before;
  end loop;
end $$;
alter table audit enable trigger audit_append_only;

alter table audit
  alter position set not null,
  alter previous_hash set not null,
  alter hash set not null,
  add constraint audit_position unique (position),
  -- Even if the lock below failed, two rows could not follow the same one.
  add constraint audit_no_fork unique (previous_hash);

-- One writer at a time until it commits: the next one reads what it has left. Whoever holds rows takes them before this.
create function audit_chain() returns trigger language plpgsql as $$
declare
  last_position bigint;
  last_hash text;
begin
  perform pg_advisory_xact_lock(hashtextextended('keel audit chain', 0));
  select position, hash into last_position, last_hash from audit order by position desc limit 1;
  new.position := coalesce(last_position, 0) + 1;
  new.previous_hash := coalesce(last_hash, repeat('0', 64));
  new.hash := audit_hash(new.previous_hash, new.position, new.at, new.mode, new.actor, new.action, new.subject, new.facts);
  return new;
end $$;

create trigger audit_chained before insert on audit for each row execute function audit_chain();
