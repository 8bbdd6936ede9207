drop table broker_session_event;
drop table broker_session;
