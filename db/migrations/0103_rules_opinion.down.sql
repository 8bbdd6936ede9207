drop table rules_opinion;
