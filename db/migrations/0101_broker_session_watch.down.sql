alter table broker_session drop column watch;
