drop table api_key;
drop index run_owner;
alter table run drop column owner_id;
drop index strategy_owner;
alter table strategy drop column owner_id;
