alter table decision drop column review;
alter table analysis drop column reading;
drop function agent_conversation_reserve(jsonb, numeric, numeric, numeric);
drop table agent_conversation;
