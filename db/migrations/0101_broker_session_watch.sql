-- Which watch may save: one that was given up for dead and lives on must not count, and must not open, beside its successor.
alter table broker_session add column watch text;
