-- Without the address it would go to the new one: such a message ends here.
update notification_delivery set state = 'failed', last_error = 'NOTIFY_OFF: taken back with the migration'
where address is not null and state in ('pending', 'sending');
alter table notification_delivery drop column address;
