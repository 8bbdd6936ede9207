drop trigger audit_chained on audit;
drop function audit_chain();
alter table audit drop column position, drop column previous_hash, drop column hash;
drop function audit_hash(text, bigint, timestamptz, text, text, text, text, jsonb);
