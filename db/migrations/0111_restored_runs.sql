-- A run that was open in the backup that its row was restored from: Temporal may not know its workflow.
alter table run add column restored_at timestamptz(3);
