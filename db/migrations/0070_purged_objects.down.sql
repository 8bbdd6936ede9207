drop table purged_object;
