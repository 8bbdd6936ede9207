-- The kind of market that the rules told from daily bars, and the way back to the middle of a range; null where a model read,
-- of other timeframes, and of what the rules read before their version 2.
alter table analysis add column regime jsonb, add column reversal jsonb;
