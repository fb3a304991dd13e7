"""What an operator may change about payments without a deployment."""

from shared.settings import Setting

PROVIDER_TIMEOUT_SECONDS = Setting(
    "provider_timeout_seconds", 8, "Seconds that one request to the payment provider may take"
)
PROVIDER_RETRIES = Setting(
    "provider_retries",
    1,
    "How often a request to the payment provider is repeated before the caller's own retries",
)
ATTEMPT_PATIENCE_SECONDS = Setting(
    "attempt_patience_seconds",
    10,
    "Seconds after which a payment attempt that cannot reach the provider is given up, so that the buyer may try again",
)
FREE_ORDERS_ENABLED = Setting("free_orders_enabled", True, "Whether orders without a price are offered")
