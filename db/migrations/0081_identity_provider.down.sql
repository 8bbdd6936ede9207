drop table oidc_flow;
drop table oidc_identity;
