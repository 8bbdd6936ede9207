drop index run_definition;
alter table run drop column definition_id, drop column definition_version;
alter table strategy_version drop column workflow_version;
alter table workflow drop constraint workflow_current;
drop index workflow_owner;
alter table workflow
  drop constraint workflow_id_check,
  drop constraint workflow_name_check,
  add steps jsonb, add timeframes jsonb, add analyst text, add gates jsonb;
update workflow set
  steps = '["openRun", "resolveContract", "fetchBars daily", "fetchBars weekly", "renderChart daily", "renderChart weekly", "analyze daily", "analyze weekly", "decide", "evaluateRisk", "waitForMarket", "orderLifecycle", "closeRun"]',
  timeframes = taken.timeframes, analyst = 'rules', gates = '{"approval": false}'
from workflow_version taken
where taken.workflow_id = workflow.id and taken.version = workflow.version;
alter table workflow
  alter steps set not null, alter timeframes set not null, alter analyst set not null, alter gates set not null,
  drop column version, drop column owner_id;
drop table workflow_version;
drop function workflow_version_is_fixed();
