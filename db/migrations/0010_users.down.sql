drop table access_attempt;
drop table refresh_token;
drop table login;
drop table keel_user;
