"""What a stage costs in an idle month, and what 1,000 orders cost: counted from the templates that `cdk synth` writes.

    python -m tools.costs cdk.out             # prints the tables of a stage
    python -m tools.costs --page dev=… prod=…   # writes docs/costs.md

A type of resource that has neither a price nor a reason to have none (`tools.prices`) is an error, and so is an option
that costs more: nothing is added to the system without its price.
"""

import argparse
import json
import re
import sys
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools import prices
from tools.priced import PRICED, Properties, Templates, Unpriced

PAGE = Path(__file__).resolve().parents[1] / "docs" / "costs.md"

# What is not in a template: assumptions, until a stage on AWS has been measured. Durations in seconds.
ROUTE_SECONDS, TASK_SECONDS, CONSUMER_SECONDS, JOB_SECONDS = 0.06, 0.25, 0.12, 0.1
POLLS_IN_A_MONTH = (
    5 * 3 * 60 * prices.HOURS
)  # five pollers of Lambda's at each queue, a long poll of 20 s each
TRACED_TICKS, TRACED_REQUESTS = (
    1.0,
    0.05,
)  # the first request in a second is traced, and a twentieth of the others
LOG_KILOBYTES_A_CALL = 1.5
NAT_MEGABYTES_AN_ORDER = 0.15  # Stripe, logs and metrics, messages, settings
KMS_CALLS_AN_ORDER = (
    12  # a message of a topic or a queue is encrypted or read; data keys are kept for five minutes
)
IOS_AN_ORDER, CACHE_UNITS_AN_ORDER = 150, 60

# What a buyer does who buys one order: how often each route is asked, and what services tell each other of it.
REQUESTS_AN_ORDER = {
    "list_events": 2, "search_events": 1, "get_event": 2, "availability": 4, "login": 0.5, "refresh": 0.5,
    "reserve": 1.1,
    "purchase": 1, "process": 1, "get_order": 5, "list_orders": 1, "stripe_webhook": 2, "check_in": 1,
}  # fmt: skip
CANARY_S_REQUESTS = {"login": 1, "availability": 1, "reserve": 1, "purchase": 1, "get_order": 8, "logout": 1}
CANARY_SECONDS = 5.0  # most of it waits for the mail
CANARY = "platform-job-buy-free-ticket"
PUBLIC = {"list_events", "search_events", "get_event", "availability", "login", "refresh", "stripe_webhook"}
EVENTS_AN_ORDER = {
    "payments.order_changed.v1": 3,
    "tickets.order_issued.v1": 1,
    "tickets.stock_changed.v1": 1,
    "tickets.ticket_checked_in.v1": 1,
    "notifications.mail_status_changed.v1": 2,
}
DIRECT_MESSAGES_AN_ORDER = 4  # an attempt, two webhooks, a mail
METRICS_THAT_JOBS_WRITE = {
    "OldestMessageSeconds": ("job-sweep-messages", 1),
    "OldestPurchaseSeconds": ("tickets-job-resume-purchases", 1),
    "AuditFindings": ("platform-job-audit", 1),
    "AuditRuns": ("platform-job-audit", 1),
    "CanarySucceeded": (CANARY, 1),
    "CanarySeconds": (CANARY, 5),  # one for each step
}
"""Metrics of our own that are written though nobody comes: by which job, and how many of each job."""
METRICS_OF_EVENTS = {
    "AttemptsSentAgain", "CacheUnavailable", "CheckIns", "CircuitOpened", "FlagsUnavailable", "JobHandled",
    "LateMoneyAskedAgain", "MailOutcomeUnknown", "MailReported", "OrdersPaid", "PaymentsDeclined", "ProvidersAsked",
    "PurchasesBegun", "PurchasesRunAgain", "Refunds", "RefundsFailed", "RefundsSentAgain", "SearchFellBack",
    "SeatsReserved", "SecondPayments", "SecondPaymentsSentAgain", "SettingsNotRead", "StandbyUnavailable",
    "TicketsIssued", "UnheardPaymentsFound", "VoidingResumed", "WebhooksSentAgain",
}  # fmt: skip
"""Those that are written when something happens, and paid for by the hours in which it does."""
GOES_ON = ("bound", "issued")  # outcomes by which the saga goes on; at any other choice it takes the default


@dataclass(frozen=True)
class Line:
    """A line of a table: what, how many of it, what they cost together, and where the price stands."""

    what: str
    count: float
    dollars: float
    source: str


def at_rest(templates: Templates) -> list[Line]:
    """What a month costs in which nobody comes. Raises Unpriced."""
    sums: dict[str, list[float]] = defaultdict(lambda: [0, 0.0])
    unknown = set()
    for kind, properties in templates.all():
        _refuse_options(kind, properties)
        if kind in PRICED:
            dollars = PRICED[kind][0](properties, templates)
            sums[kind][0] += dollars > 0
            sums[kind][1] += dollars
        elif kind not in prices.FREE and not kind.startswith("AWS::CDK::"):
            unknown.add(kind)
    if unknown:
        raise Unpriced(f"tools/prices.py knows no price of {', '.join(sorted(unknown))}")
    found = [
        Line(kind, count, dollars, PRICED[kind][1]) for kind, (count, dollars) in sums.items() if dollars
    ]
    return sorted([*found, *_ticking(templates)], key=lambda line: -line.dollars)


def _refuse_options(kind: str, properties: Properties) -> None:
    for (of, option), free in prices.OPTIONS.items():
        if of == kind and option in properties and properties[option] not in free:
            raise Unpriced(f"tools/prices.py knows no price of {kind} with {option} {properties[option]}")


def _ticking(templates: Templates) -> list[Line]:
    """What runs although nobody comes: jobs on their schedules, Lambda at the queues, and what they write."""
    ticks = sum(_a_month(job["ScheduleExpression"]) for job in templates.of("AWS::Scheduler::Schedule"))
    polls = len(templates.of("AWS::Lambda::EventSourceMapping")) * POLLS_IN_A_MONTH
    schedules = [str(job["Name"]) for job in templates.of("AWS::Scheduler::Schedule")]
    metrics = sum(
        n for job, n in METRICS_THAT_JOBS_WRITE.values() for name in schedules if name.endswith(job)
    )
    passwords = sum(bool(p.get("ManageMasterUserPassword")) for _, p in templates.all())
    lines = [
        Line(
            "Jobs on schedules", ticks, ticks * prices.TICK + _lambda(ticks, 512, JOB_SECONDS), prices.LAMBDA
        ),
        Line("Lambda asking queues", polls, polls * prices.SQS_CALL, prices.SQS),
        Line("Traces of jobs", ticks, ticks * TRACED_TICKS * prices.TRACE, prices.XRAY),
        Line("Logs of jobs", ticks, _logs(ticks), prices.CLOUDWATCH),
        Line("Metrics that jobs write", metrics, metrics * prices.METRIC, prices.CLOUDWATCH),
        _canary(templates),
        Line("Administrators' passwords", passwords, passwords * prices.SECRET, prices.SECRETS),
    ]
    return [line for line in lines if line.dollars]


def _canary(templates: Templates) -> Line:
    """The synthetic buyer's purchases, each as any other, and the time that it waits for them."""
    visits = sum(
        _a_month(job["ScheduleExpression"])
        for job in templates.of("AWS::Scheduler::Schedule")
        if job["Name"].endswith(CANARY)
    )
    orders = total(of_orders(templates, 1, CANARY_S_REQUESTS))
    return Line(
        "Purchases of the canary",
        visits,
        visits * orders + _lambda(visits, 512, CANARY_SECONDS),
        prices.STEPS,
    )


def of_orders(
    templates: Templates, orders: float = 1_000, requests: Mapping[str, float] | None = None
) -> list[Line]:
    """What so many orders cost on top, of buyers who ask for these things (REQUESTS_AN_ORDER)."""
    requests = requests or REQUESTS_AN_ORDER
    asked = sum(requests.values())
    signed_in = sum(times for name, times in requests.items() if name not in PUBLIC)
    memory = {f["Handler"]: f.get("MemorySize", 128) for f in templates.of("AWS::Lambda::Function")}
    routes = sum(_lambda(n, _memory(memory, name), ROUTE_SECONDS) for name, n in requests.items())
    routes += _lambda(signed_in, _memory(memory, "bearer"), ROUTE_SECONDS / 3)
    states = _happy_path(templates)
    tasks = sum(state["Type"] == "Task" for state in states)
    deliveries = sum(n * _subscribers(templates, kind) for kind, n in EVENTS_AN_ORDER.items())
    published, messages = sum(EVENTS_AN_ORDER.values()), deliveries + DIRECT_MESSAGES_AN_ORDER
    calls = asked + signed_in + tasks + messages
    lines = [
        Line("Requests through CloudFront", asked, asked * prices.CLOUDFRONT_CALL, prices.CLOUDFRONT),
        Line("Requests looked at by WAF, twice", asked, asked * 2 * prices.WAF_REQUEST, prices.WAF),
        Line("Requests through the API", asked, asked * prices.API_CALL, prices.API),
        Line("Routes and the authorizer", asked + signed_in, routes, prices.LAMBDA),
        Line("Tasks of the purchase", tasks, _lambda(tasks, 1024, TASK_SECONDS), prices.LAMBDA),
        Line("Transitions of the purchase", len(states) + 1, (len(states) + 1) * prices.TRANSITION, prices.STEPS),
        Line("Consumers", messages, _lambda(messages, 512, CONSUMER_SECONDS), prices.LAMBDA),
        Line("Messages published", published, published * prices.SNS_MESSAGE, prices.SNS),
        Line("Messages sent, taken and deleted", messages, messages * 3 * prices.SQS_CALL, prices.SQS),
        Line("Mails", 1, prices.MAIL, prices.SES),
        Line("Logs", calls, _logs(calls), prices.CLOUDWATCH),
        Line("Traces", calls, calls * TRACED_REQUESTS * prices.TRACE, prices.XRAY),
        Line(
            "Through the NAT, MB", NAT_MEGABYTES_AN_ORDER, NAT_MEGABYTES_AN_ORDER / 1e3 * prices.NAT_GIGABYTE,
            prices.NAT,
        ),
        Line("Encryptions", KMS_CALLS_AN_ORDER, KMS_CALLS_AN_ORDER * prices.KMS_CALL, prices.KMS),
        Line(
            "Cache units", CACHE_UNITS_AN_ORDER, CACHE_UNITS_AN_ORDER / 1e6 * prices.CACHE_MILLION_UNITS,
            prices.CACHE,
        ),
    ]  # fmt: skip
    if templates.of("AWS::RDS::DBCluster"):
        lines.append(
            Line("Aurora I/O", IOS_AN_ORDER, IOS_AN_ORDER / 1e6 * prices.AURORA_MILLION_IOS, prices.AURORA)
        )
    scaled = [Line(line.what, line.count * orders, line.dollars * orders, line.source) for line in lines]
    return sorted(scaled, key=lambda line: -line.dollars)


def _lambda(calls: float, megabytes: int, seconds: float) -> float:
    return calls * (prices.LAMBDA_CALL + megabytes / 1024 * seconds * prices.LAMBDA_GIGABYTE_SECOND)


def _logs(calls: float) -> float:
    return calls * LOG_KILOBYTES_A_CALL / 1e6 * prices.LOG_GIGABYTE


def _memory(memory: dict[str, int], name: str) -> int:
    """Of the route or authorizer called so. Raises Unpriced if there is none: the list above is out of date."""
    found = [size for handler, size in memory.items() if handler.split(".")[-2:-1] == [name]]
    if not found:
        raise Unpriced(f"No function is called {name}.")
    return found[0]


def _a_month(expression: str) -> float:
    count, unit = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", expression).groups()  # type: ignore[union-attr]
    return prices.HOURS * {"minute": 60, "hour": 1, "day": 1 / 24}[unit] / int(count)


def _happy_path(templates: Templates) -> list[dict[str, Any]]:
    """The states of a purchase that waits for its payment and gets it."""
    (machine,) = templates.of("AWS::StepFunctions::StateMachine")
    definition = machine["DefinitionString"]
    joined = definition if isinstance(definition, str) else definition["Fn::Join"][1]
    text = "".join(part if isinstance(part, str) else "x" for part in joined)
    saga = json.loads(text)
    states, name = [], saga["StartAt"]
    while True:
        state = saga["States"][name]
        states.append(state)
        if state["Type"] == "Choice":
            chosen = [c["Next"] for c in state["Choices"] if c.get("StringEquals") in GOES_ON]
            name = chosen[0] if chosen else state["Default"]
        elif "Next" in state:
            name = state["Next"]
        else:
            return states


def _subscribers(templates: Templates, kind: str) -> int:
    """How many queues get a message of a type: those of its topic that filter it in, or nothing."""
    service = kind.split(".")[0].title()
    return sum(
        service in json.dumps(each["TopicArn"]) and kind in each.get("FilterPolicy", {}).get("type", [kind])
        for each in templates.of("AWS::SNS::Subscription")
        if each["Protocol"] == "sqs"
    )


def total(lines: list[Line]) -> float:
    """Dollars of a table."""
    return sum(line.dollars for line in lines)


def table(lines: list[Line]) -> str:
    """As Markdown."""
    rows = [f"| {line.what} | {line.count:,.10g} | {line.dollars:,.2f} | {line.source} |" for line in lines]
    return "\n".join(
        [
            "| what | how many | $ | price |",
            "|---|---:|---:|---|",
            *rows,
            f"| **all** | | **{total(lines):,.2f}** | |",
        ]
    )


def page(stages: dict[str, Templates]) -> str:
    """docs/costs.md."""
    parts = [
        "# Costs",
        "Made by `make costs-page` from the templates; a test holds it to them. List prices of "
        f"{prices.REGION}, written down in {prices.WRITTEN_DOWN} ([tools/prices.py](../tools/prices.py)), without free "
        "tiers that end. What a template does not say (how long functions run, how often a buyer looks) is assumed, "
        "not measured: it stands at the beginning of [tools/costs.py](../tools/costs.py).",
        f"Metrics of our own that are written only when something happens ({len(METRICS_OF_EVENTS)} names, some for "
        f"each service or job) are in no table: ${prices.METRIC:.2f} for each in a month in which that is every hour.",
        "`make costs STAGE=prod` prints the tables of a stage as it is now.",
    ]
    summary = ["| stage | an idle month | 1,000 orders |", "|---|---:|---:|"]
    for name, templates in stages.items():
        month, orders = at_rest(templates), of_orders(templates)
        summary.append(f"| {name} | ${total(month):,.2f} | ${total(orders):,.2f} |")
    parts.append("\n".join(summary))
    for name, templates in stages.items():
        parts += [f"## {name}: an idle month", table(at_rest(templates))]
        parts += [f"## {name}: 1,000 orders", table(of_orders(templates))]
    return "\n\n".join(parts) + "\n"


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--page", action="store_true", help="write docs/costs.md")
    parser.add_argument("folders", nargs="+", help="a cloud assembly, or <stage>=<cloud assembly>")
    given = parser.parse_args()
    stages = {}
    for text in given.folders:
        name, _, folder = text.rpartition("=")
        stages[name or "stage"] = Templates(Path(folder))
    try:
        if given.page:
            PAGE.write_text(page(stages))
            return
        for templates in stages.values():
            sys.stdout.write(
                f"An idle month:\n{table(at_rest(templates))}\n\n1,000 orders:\n{table(of_orders(templates))}\n"
            )
    except Unpriced as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
