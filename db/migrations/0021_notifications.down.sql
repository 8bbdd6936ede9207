drop trigger run_end_notification on run;
drop function run_end_notification();
drop table notification_delivery;
drop table notification_setting;
drop table notification;
