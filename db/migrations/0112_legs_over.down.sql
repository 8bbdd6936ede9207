update notification_setting set settings = settings #- '{matrix,position.unprotected}';
drop index order_intent_unproven;
drop index order_intent_stop_over;
