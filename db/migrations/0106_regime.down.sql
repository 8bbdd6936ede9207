alter table analysis drop column reversal, drop column regime;
