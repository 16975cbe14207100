namespace Exchange;
