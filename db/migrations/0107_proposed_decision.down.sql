drop table proposed_decision;
