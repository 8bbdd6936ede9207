-- Workflow definitions get versions that never change, and an owner. Each version of a strategy, and each run, names the one
-- it takes.
create table workflow_version (
  workflow_id text not null references workflow (id) on delete cascade,
  version integer not null check (version > 0),
  steps jsonb not null check (jsonb_typeof(steps) = 'array'),
  timeframes jsonb not null check (jsonb_typeof(timeframes) = 'array'),
  analyst text not null check (analyst in ('auto', 'rules', 'openai')),
  gates jsonb not null check (jsonb_typeof(gates) = 'array'),
  limits jsonb not null check (jsonb_typeof(limits) = 'object'),
  created_by text not null,
  created_at timestamptz(3) not null default now(),
  primary key (workflow_id, version)
);

create function workflow_version_is_fixed() returns trigger language plpgsql as $$
begin
  raise exception 'version % of workflow % never changes: store another version', old.version, old.workflow_id;
end $$;
create trigger workflow_version_fixed before update on workflow_version
  for each row execute function workflow_version_is_fixed();

-- What every run has done so far, whatever the row said: each strategy chose its own analyst.
insert into workflow_version (workflow_id, version, steps, timeframes, analyst, gates, limits, created_by, created_at)
select id, 1,
  '["openRun", "resolveContract", "fetchBars", "renderChart", "analyze", "decide", "evaluateRisk", "waitForMarket", "orderLifecycle", "closeRun"]',
  '["daily", "weekly"]', 'auto', '["decisionChecks", "riskChecks", "admissionChecks"]', '{}', 'keel', created_at
from workflow;

alter table workflow
  drop column steps, drop column timeframes, drop column analyst, drop column gates,
  add version integer not null default 1 check (version > 0),
  -- Null for the platform's own.
  add owner_id uuid references keel_user (id),
  add constraint workflow_id_check check (id ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
  add constraint workflow_name_check check (name <> '');
create index workflow_owner on workflow (owner_id);
alter table workflow add constraint workflow_current foreign key (id, version)
  references workflow_version (workflow_id, version);

alter table strategy_version
  add workflow_version integer not null default 1,
  add constraint strategy_version_definition foreign key (workflow_id, workflow_version)
    references workflow_version (workflow_id, version);

-- Null only for a run that a worker of the release before opened.
alter table run
  add definition_id text,
  add definition_version integer,
  add constraint run_definition foreign key (definition_id, definition_version)
    references workflow_version (workflow_id, version),
  add constraint run_definition_is_whole check ((definition_id is null) = (definition_version is null));
update run set definition_id = taken.workflow_id, definition_version = taken.workflow_version
from strategy_version taken
where taken.strategy_id = run.strategy_id and taken.version = run.strategy_version;
create index run_definition on run (definition_id, definition_version);
