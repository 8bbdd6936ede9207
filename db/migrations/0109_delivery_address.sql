-- Where a message goes that must not follow the settings: who loses an e-mail is told at the one that he had.
alter table notification_delivery add column address text
  check (address is null or (address <> '' and channel = 'email'));
