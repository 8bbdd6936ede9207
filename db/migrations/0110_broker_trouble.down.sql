drop table broker_trouble;
update broker_session_event set kind = 'lost' where kind = 'limited';
alter table broker_session_event drop constraint broker_session_event_kind_check;
alter table broker_session_event add constraint broker_session_event_kind_check
  check (kind in ('up', 'lost', 'competing', 'needs-login'));
update broker_session set phase = 'lost', state = jsonb_set(state, '{phase}', '"lost"') where phase = 'limited';
alter table broker_session drop constraint broker_session_phase_check;
alter table broker_session add constraint broker_session_phase_check
  check (phase in ('starting', 'up', 'lost', 'competing', 'needs-login'));
