global using Exchange.Gateway.Offices;
global using Exchange.Gateway.Operations;
