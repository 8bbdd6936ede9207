drop table ibkr_ledger;
drop table ibkr_trades;
drop table ibkr_stock_balances;
drop table ibkr_balances;
drop table ibkr_users;
