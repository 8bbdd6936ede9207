drop index keel_user_email;
alter table keel_user add constraint keel_user_email unique (email);
