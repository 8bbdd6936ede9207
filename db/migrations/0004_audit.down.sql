drop table audit;
drop function audit_guard();
