drop table model_ability;
