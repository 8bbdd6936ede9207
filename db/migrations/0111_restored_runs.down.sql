alter table run drop column restored_at;
