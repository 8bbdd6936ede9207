drop table gateway_limit;
