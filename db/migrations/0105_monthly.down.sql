-- Refused where something was read by months or a strategy names the definition: evidence is not thrown away.
delete from workflow where id = 'three-timeframes' and owner_id is null;
alter table market_data
  drop constraint market_data_timeframe_check,
  add constraint market_data_timeframe_check check (timeframe in ('daily', 'weekly'));
alter table chart
  drop constraint chart_timeframe_check,
  add constraint chart_timeframe_check check (timeframe in ('daily', 'weekly'));
alter table analysis
  drop constraint analysis_timeframe_check,
  add constraint analysis_timeframe_check check (timeframe in ('daily', 'weekly'));
alter table rules_opinion
  drop constraint rules_opinion_part_check,
  add constraint rules_opinion_part_check check (part in ('daily', 'weekly', 'decision'));
