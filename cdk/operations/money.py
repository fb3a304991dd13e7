"""Purchases, the books, and the providers that money and mails go through."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_stepfunctions as sfn

from cdk.alarms import MISSING_IS_BAD, Alarms, ours

MINUTE = Duration.minutes(1)

CIRCUITS = (
    # who calls, and the name of its circuit breaker
    ("payments", "payments.stripe"),
    ("payments", "payments.paypal"),
    ("payments", "calls.tickets"),
    ("tickets", "calls.events"),
    ("events", "calls.tickets"),
    ("notifications", "mail.ses"),
    ("notifications", "mail.sendgrid"),
)


def watch(alarms: Alarms, purchase: sfn.StateMachine, services: Sequence[str]) -> None:
    """Everything that could cost somebody money or a ticket."""
    _purchases(alarms, purchase)
    _messages(alarms, services)
    _audit(alarms)
    _providers(alarms)


def _purchases(alarms: Alarms, purchase: sfn.StateMachine) -> None:
    alarms.on(
        "PurchaseFailed",
        purchase.metric_failed(period=MINUTE),
        "A purchase ended in the middle.",
        page="purchase-failed",
    )
    alarms.on(
        "PurchaseTimedOut",
        purchase.metric_timed_out(period=MINUTE),
        "A purchase outlived its limit.",
        page="purchase-timed-out",
    )
    alarms.on(
        "PurchaseThrottled",
        purchase.metric_throttled(period=MINUTE),
        "Step Functions holds purchases back.",
        page="purchase-throttled",
        threshold=10,
        periods=3,
    )
    alarms.on(
        "OldestPurchase",
        ours(alarms.stage, "OldestPurchaseSeconds", "Maximum", 5, service="tickets"),
        "A purchase has been under way for an hour, far longer than anybody may take to pay.",
        page="oldest-purchase",
        threshold=3600,
        periods=2,
    )


def _messages(alarms: Alarms, services: Sequence[str]) -> None:
    for service in services:
        alarms.on(
            f"OutboxOf{service.title()}",
            ours(alarms.stage, "OldestMessageSeconds", "Maximum", 5, service=service),
            f"{service.title()} has had something to tell for ten minutes, and nobody took it.",
            page="outbox-stuck",
            threshold=600,
        )


def _audit(alarms: Alarms) -> None:
    """The auditor finds something, or has not looked for two hours: no word of it is no good word."""
    alarms.on(
        "AuditFindings",
        ours(alarms.stage, "AuditFindings", "Maximum", 60, service="platform"),
        "Money, tickets or stock are wrong.",
        page="audit-findings",
    )
    alarms.on(
        "AuditMissing",
        ours(alarms.stage, "AuditRuns", "Sum", 60, service="platform"),
        "The auditor has not run: nobody would know if money or stock were wrong.",
        page="audit-missing",
        below=True,
        periods=2,
        missing=MISSING_IS_BAD,
    )


def _providers(alarms: Alarms) -> None:
    circuits = {
        f"m{n}": ours(alarms.stage, "CircuitOpened", "Sum", 15, service=service, circuit=circuit)
        for n, (service, circuit) in enumerate(CIRCUITS)
    }
    alarms.on(
        "ProviderAway",
        cloudwatch.MathExpression(
            expression="SUM(METRICS())", using_metrics=circuits, period=Duration.minutes(15)
        ),
        "A provider fails again and again: payments wait, or mails go out the other way.",
        page="provider-away",
        threshold=3,
    )
    alarms.on(
        "WebhooksMissing",
        ours(alarms.stage, "UnheardPaymentsFound", "Sum", 60, service="payments"),
        "A payment provider knew of money that its webhooks did not tell us of.",
        page="webhooks-missing",
        threshold=5,
    )
    alarms.on(
        "RefundsFailed",
        ours(alarms.stage, "RefundsFailed", "Sum", 5, service="payments"),
        "A payment provider could not give money back: its buyer has neither money nor tickets.",
        page="refund-failed",
    )
    for name, kind, limit in (("Bounces", "BounceRate", 0.05), ("Complaints", "ComplaintRate", 0.001)):
        alarms.on(
            f"Mail{name}",
            cloudwatch.Metric(
                namespace="AWS/SES",
                metric_name=f"Reputation.{kind}",
                statistic="Average",
                period=Duration.hours(1),
            ),
            f"SES puts an account whose {name.lower()} are over {limit:.1%} under review, and then stops it.",
            page="mail-reputation",
            threshold=limit,
        )
