drop table run_cancel;
