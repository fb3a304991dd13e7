"""What an operator may change about the audit without a deployment."""

from shared.settings import Setting

AT_REST_SECONDS = Setting(
    "audit_at_rest_seconds", 1800, "Seconds without a change after which the auditor judges an order"
)
WINDOW_DAYS = Setting(
    "audit_window_days", 2, "Days back to which the auditor looks at what changed; open things it sees always"
)
ORDER_LIMIT = Setting("audit_order_limit", 20_000, "Orders that one run of the auditor looks at, at most")
PAGE = Setting("audit_page", 500, "Orders, or events, that the auditor reads in one statement")
FINDINGS_LIMIT = Setting(
    "audit_findings_limit", 200, "Findings that one run of the auditor tells one by one, at most"
)
GATEWAY_LIMIT = Setting(
    "audit_gateway_limit",
    5_000,
    "Payments that one run of the auditor asks each payment provider for, at most",
)
REFUND_HOURS = Setting(
    "audit_refund_hours",
    24,
    "Hours after which the auditor reports a refund that the provider has not answered",
)
REFUND_DAYS = Setting(
    "audit_refund_days", 14, "Days after which the auditor reports a refund that the bank has not decided"
)
PAID_BACK_ELSEWHERE = Setting(
    "audit_paid_back_elsewhere",
    "none",
    "Orders, their ids with commas between, whose money was given back by another way than their provider",
)
EXECUTION_LIMIT = Setting(
    "audit_execution_limit", 5_000, "Running purchases that one run of the auditor looks at, at most"
)
