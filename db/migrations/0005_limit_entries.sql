-- An entry may be a limit order: the most that a unit may cost. Null for a market order, as all were until now.
alter table order_intent add column limit_price numeric check (limit_price > 0 and limit_price < 'Infinity');

create function order_intent_limit_guard() returns trigger language plpgsql as $$
begin
  raise exception 'the terms of order intent % can not change once it is stored', old.client_order_id
    using errcode = 'KL002';
end $$;

create trigger order_intent_limit_guard before update on order_intent
  for each row when (new.limit_price is distinct from old.limit_price) execute function order_intent_limit_guard();
