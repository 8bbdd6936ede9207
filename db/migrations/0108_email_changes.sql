-- An e-mail can change now. A whole unique constraint is a key that others may refer to, and changing a key locks out
-- everybody who writes a row of that user, among them those who hold the audit chain already. An index with a condition
-- is none.
alter table keel_user drop constraint keel_user_email;
create unique index keel_user_email on keel_user (email) where email is not null;
