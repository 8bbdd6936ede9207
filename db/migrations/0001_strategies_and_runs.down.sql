drop table run_step;
drop table run;
drop table strategy_version;
drop table strategy;
drop table workflow;
drop table database_mode;
