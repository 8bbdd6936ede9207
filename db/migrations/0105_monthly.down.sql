-- What was read by months stays, as evidence: the checks hold for new rows only. The platform's definition goes where nobody
-- used it or gave it a version.
delete from workflow
where id = 'three-timeframes' and owner_id is null
  and not exists (select from workflow_version made where made.workflow_id = workflow.id and made.created_by <> 'keel')
  and not exists (select from strategy_version taken where taken.workflow_id = workflow.id)
  and not exists (select from run where run.definition_id = workflow.id);
alter table market_data
  drop constraint market_data_timeframe_check,
  add constraint market_data_timeframe_check check (timeframe in ('daily', 'weekly')) not valid;
alter table chart
  drop constraint chart_timeframe_check,
  add constraint chart_timeframe_check check (timeframe in ('daily', 'weekly')) not valid;
alter table analysis
  drop constraint analysis_timeframe_check,
  add constraint analysis_timeframe_check check (timeframe in ('daily', 'weekly')) not valid;
alter table rules_opinion
  drop constraint rules_opinion_part_check,
  add constraint rules_opinion_part_check check (part in ('daily', 'weekly', 'decision')) not valid;
