drop table position;
drop table execution;
drop table "order";
drop table broker_snapshot;
drop table order_intent;
drop function order_intent_guard();
