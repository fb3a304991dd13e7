"""The only code that knows a payment provider; the use cases see `gateway.PaymentGateway`."""
