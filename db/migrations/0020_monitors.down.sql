drop table equity_snapshot;
drop table monitor_result;
