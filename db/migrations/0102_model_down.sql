-- Whether a failed call found its server down: a question is then asked of the fallback. Null of a call that is not settled, and
-- of one that was made before.
alter table agent_conversation add column down boolean;
