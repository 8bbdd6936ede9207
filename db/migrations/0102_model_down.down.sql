alter table agent_conversation drop column down;
