alter table keel_user drop column second_factor;
alter table login drop column proven_at;
drop table recovery_code;
drop table second_factor;
