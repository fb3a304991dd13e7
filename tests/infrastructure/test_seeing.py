"""What is shown and traced: dashboards for each audience, the objective's windows, the canary, X-Ray through topics."""

import pytest

from functions.platform import canary as buyer
from tests.infrastructure.template import System, text_of

PROD = "box-office-prod"


def bodies(system: System) -> dict[str, str]:
    """What each dashboard shows, by its name."""
    return {
        d.properties["DashboardName"]: text_of(d.properties["DashboardBody"])
        for d in system.of_type("AWS::CloudWatch::Dashboard")
    }


def test_each_audience_has_its_dashboard_in_production_and_dev_the_one_for_whoever_is_on_call(
    system: System, production: System
) -> None:
    assert set(bodies(production)) == {
        f"{PROD}-{name}" for name in ("operations", "business", "money", "database")
    }
    assert set(bodies(system)) == {"box-office-dev-operations"}


@pytest.mark.parametrize(
    ("audience", "shown"),
    [
        ("operations", ["RUNNING_SUM", "CanarySeconds", "ApproximateAgeOfOldestMessage", "Latency"]),
        (
            "business",
            ["SeatsReserved", "OrdersPaid", "PaymentsDeclined", "Refunds", "TicketsIssued", "CheckIns"],
        ),
        ("money", ["AuditFindings", "OldestPurchaseSeconds", "CircuitOpened", "ExecutionsFailed"]),
        (
            "database",
            [
                "DatabaseConnections",
                "ClientConnections",
                "DatabaseConnectionsCurrentlySessionPinned",
                "DatabaseConnectionsBorrowLatency",
                "AvailabilityPercentage",
                "QueryResponseLatency",
                "ElastiCacheProcessingUnits",
            ],
        ),
    ],
)
def test_a_dashboard_shows_what_its_audience_asks(
    production: System, audience: str, shown: list[str]
) -> None:
    body = bodies(production)[f"{PROD}-{audience}"]
    assert [name for name in shown if name not in body] == []


def test_the_budget_burns_in_a_long_and_a_short_window_before_somebody_is_woken(production: System) -> None:
    parts = {a.properties["AlarmName"]: a.properties for a in production.of_type("AWS::CloudWatch::Alarm")}
    expected = {"Fast": (14.4, 3600, 300), "Slow": (6, 6 * 3600, 1800), "Leak": (3, 24 * 3600, 2 * 3600)}
    for name, (times, *windows) in expected.items():
        for part, window in zip(("Long", "Short"), windows, strict=True):
            alarm = parts[f"{PROD}-ErrorBudget{name}{part}"]
            assert alarm["Threshold"] == pytest.approx(times * 0.001)
            assert {m["MetricStat"]["Period"] for m in alarm["Metrics"] if "MetricStat" in m} == {window}
            (expression,) = [m["Expression"] for m in alarm["Metrics"] if "Expression" in m]
            assert ">= 5" in expression, "a night's single error wakes nobody"
            assert "AlarmActions" not in alarm
        (both,) = [
            c.properties
            for c in production.of_type("AWS::CloudWatch::CompositeAlarm")
            if c.properties["AlarmName"] == f"{PROD}-ErrorBudget{name}"
        ]
        assert " AND " in text_of(both["AlarmRule"])
        assert both["AlarmActions"]


def test_production_has_a_canary_every_five_minutes_that_is_missed_after_two(
    system: System, production: System
) -> None:
    def scheduled(stage: System) -> list[str]:
        return [
            s.properties["ScheduleExpression"]
            for s in stage.of_type("AWS::Scheduler::Schedule")
            if s.properties["Name"].endswith("-buy-free-ticket")
        ]

    assert (scheduled(system), scheduled(production)) == ([], ["rate(5 minutes)"])
    (alarm,) = [
        a.properties
        for a in production.of_type("AWS::CloudWatch::Alarm")
        if a.properties.get("MetricName") == "CanarySucceeded"
    ]
    assert (alarm["ComparisonOperator"], alarm["TreatMissingData"]) == ("LessThanThreshold", "breaching")
    assert (alarm["Period"], alarm["EvaluationPeriods"]) == (300, 2)


def test_the_canary_may_read_its_own_account_and_nothing_else(production: System) -> None:
    function = production.functions["functions.platform.jobs.buy_free_ticket.handler"]
    statements = [s for s in production.statements(function) if s["Effect"] == "Allow"]
    actions = {
        a for s in statements for a in ([s["Action"]] if isinstance(s["Action"], str) else s["Action"])
    }
    own = {a for a in actions if a.split(":")[0] not in ("ec2", "logs", "xray", "ssm")}
    assert own == {"secretsmanager:GetSecretValue", "kms:Decrypt"}
    longest = buyer.PAID_SECONDS + buyer.MAILED_SECONDS + 4 * buyer.CALL_SECONDS
    assert function.properties["Timeout"] >= longest, "so that it can say itself where it stopped"


def test_traces_go_through_topics(system: System) -> None:
    for topic in system.of_type("AWS::SNS::Topic"):
        assert topic.properties["TracingConfig"] == "Active"
    (policy,) = system.of_type("AWS::XRay::ResourcePolicy")
    text = text_of(policy.properties["PolicyDocument"])
    assert "sns.amazonaws.com" in text
    assert "xray:PutTraceSegments" in text
    assert "aws:SourceAccount" in text
    (rule,) = system.of_type("AWS::XRay::SamplingRule")
    assert 0 < rule.properties["SamplingRule"]["FixedRate"] <= 0.1


def test_rds_tells_of_fail_overs_by_categories_that_it_knows(system: System, production: System) -> None:
    """https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Events.Messages.html"""
    known = {
        "db-instance": {
            *("failover", "failure", "low storage", "recovery"),
            *("maintenance", "configuration change"),
        },
        "db-cluster": {"failover", "failure", "maintenance"},
        "db-proxy": {"failure"},
    }
    for stage in (system, production):
        told = {
            s.properties["SourceType"]: set(s.properties["EventCategories"])
            for s in stage.of_type("AWS::RDS::EventSubscription")
        }
        assert "db-proxy" in told
        assert told.keys() & {"db-instance", "db-cluster"}
        assert all(categories <= known[kind] for kind, categories in told.items())


def test_what_a_proxy_reaches_is_read_by_the_roles_that_aws_publishes_it_for(
    system: System, production: System
) -> None:
    """Of a proxy as a whole there is no such number, and an alarm on it would ring for ever."""
    for stage, roles in ((system, ["READ_WRITE"]), (production, ["READ_ONLY", "READ_WRITE"])):
        proxies = stage.of_type("AWS::RDS::DBProxy")
        read = [
            {d["Name"]: d["Value"] for d in alarm.properties["Dimensions"]}
            for alarm in stage.of_type("AWS::CloudWatch::Alarm")
            if alarm.properties.get("MetricName") == "AvailabilityPercentage"
        ]
        assert {(*of,) for of in read} == {("ProxyName", "TargetGroup", "TargetRole")}
        assert {of["TargetGroup"] for of in read} == {"default"}
        assert sorted(of["TargetRole"] for of in read) == sorted(roles * len(proxies))
    assert "TargetRole" in bodies(production)[f"{PROD}-database"]


def test_the_firewall_s_alarm_counts_what_its_own_stage_turns_away(
    system: System, production: System
) -> None:
    read = []
    for stage in (system, production):
        (door,) = [a for a in stage.of_type("AWS::WAFv2::WebACL") if a.properties["Scope"] == "CLOUDFRONT"]
        (alarm,) = [
            a
            for a in stage.of_type("AWS::CloudWatch::Alarm")
            if a.properties.get("MetricName") == "BlockedRequests"
        ]
        of = {d["Name"]: d["Value"] for d in alarm.properties["Dimensions"]}
        assert of == {"WebACL": door.properties["VisibilityConfig"]["MetricName"], "Rule": "ALL"}
        read.append(of["WebACL"])
    assert len({*read}) == 2
