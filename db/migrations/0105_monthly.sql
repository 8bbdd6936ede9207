-- Months beside days and weeks, and the platform's definition for strategies that look at all three. The standard one stays
-- as it is.
alter table market_data
  drop constraint market_data_timeframe_check,
  add constraint market_data_timeframe_check check (timeframe in ('daily', 'weekly', 'monthly'));
alter table chart
  drop constraint chart_timeframe_check,
  add constraint chart_timeframe_check check (timeframe in ('daily', 'weekly', 'monthly'));
alter table analysis
  drop constraint analysis_timeframe_check,
  add constraint analysis_timeframe_check check (timeframe in ('daily', 'weekly', 'monthly'));
alter table rules_opinion
  drop constraint rules_opinion_part_check,
  add constraint rules_opinion_part_check check (part in ('daily', 'weekly', 'monthly', 'decision'));

-- Whoever has a definition of this name keeps it.
with made as (
  insert into workflow (id, name, version)
  values ('three-timeframes', 'Daily, weekly and monthly charts, one decision, one bracket', 1)
  on conflict (id) do nothing
  returning id
)
insert into workflow_version (workflow_id, version, steps, timeframes, analyst, gates, limits, created_by)
select id, 1,
  '["openRun", "resolveContract", "fetchBars", "renderChart", "analyze", "decide", "evaluateRisk", "waitForMarket", "orderLifecycle", "closeRun"]',
  '["daily", "weekly", "monthly"]', 'auto', '["decisionChecks", "riskChecks", "admissionChecks"]', '{}', 'keel'
from made;
