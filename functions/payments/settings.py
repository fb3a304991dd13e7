"""What an operator may change about payments without a deployment."""

from shared.flags import Flag
from shared.settings import Setting

PAYPAL = Flag("paypal", True, "Whether PayPal is offered, where we have an account there")
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
REFUND_STALL_SECONDS = Setting(
    "refund_stall_seconds",
    900,
    "Seconds after which a refund, or money that waits for seats, without an outcome is sent on again",
)
ATTEMPT_STALL_SECONDS = Setting(
    "attempt_stall_seconds", 90, "Seconds after which a payment attempt without an outcome is sent on again"
)
WEBHOOK_STALL_SECONDS = Setting(
    "webhook_stall_seconds", 300, "Seconds after which a stored webhook that nobody handled is sent on again"
)
ASK_PROVIDER_SECONDS = Setting(
    "ask_provider_after_seconds",
    120,
    "Seconds without news of an order's payment after which its provider is asked; asked again at twice the age",
)
FOLLOW_UP_DAYS = Setting(
    "follow_up_days", 4, "Days for which unheard payments and unhandled webhooks are followed up"
)
RESUME_LIMIT = Setting(
    "resume_limit",
    100,
    "Refunds, attempts, late payments, webhooks or questions sent on again in one run, of each",
)
GATEWAY_CIRCUIT_FAILURES = Setting(
    "gateway_circuit_failures", 5, "Failed calls in a row after which a payment provider is left alone"
)
GATEWAY_CIRCUIT_SECONDS = Setting(
    "gateway_circuit_seconds", 30, "Seconds for which a payment provider that failed is left alone"
)
FREE_ORDERS_ENABLED = Setting("free_orders_enabled", True, "Whether orders without a price are offered")
WEBHOOK_TOLERANCE_SECONDS = Setting(
    "webhook_tolerance_seconds",
    300,
    "Seconds by which the time in a webhook's signature may differ from ours, either way",
)
PAYPAL_WEBHOOK_HOURS = Setting(
    "paypal_webhook_hours",
    96,
    "Hours after which a webhook of PayPal's, which it repeats for three days, is too old",
)
WEBHOOK_MOST_BYTES = Setting(
    "webhook_most_bytes", 262_144, "Bytes that a payment provider's webhook may have; a longer one is refused"
)
