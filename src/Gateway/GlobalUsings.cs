global using Exchange.Gateway.Offices;
global using Exchange.Gateway.Operations;
global using Exchange.Gateway.Release;
