-- Bought shares whose stop is over and has not sold: the monitor of orders asks for them at each look.
create index order_intent_stop_over on order_intent (mode, account_id, conid)
  where side = 'BUY' and filled_quantity > 0
    and (legs @> '[{"role": "stop", "status": "CANCELLED"}]' or legs @> '[{"role": "stop", "status": "REJECTED"}]');

-- Legs that nobody told the end of: a closing sell asks for them.
create index order_intent_unproven on order_intent (mode, account_id, conid)
  where legs @> '[{"unproven": true}]';

-- Events that settings do not name go nowhere: this one goes where its like does.
update notification_setting
set settings = jsonb_set(settings, '{matrix,position.unprotected}', settings #> '{matrix,run.unprotected}')
where settings -> 'matrix' ? 'run.unprotected';
