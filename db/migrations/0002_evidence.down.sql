drop table risk_evaluation;
drop table decision;
drop table analysis;
drop table chart;
drop table market_data;
