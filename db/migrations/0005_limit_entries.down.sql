drop trigger order_intent_limit_guard on order_intent;
drop function order_intent_limit_guard();
alter table order_intent drop column limit_price;
