"""The auditor runs by itself, reads and changes nothing, and is missed when it does not."""

from tests.infrastructure.template import Resource, System, as_list, text_of

AUDITOR = "functions.platform.jobs.audit.handler"
READER = "functions.payments.jobs.read_gateways.handler"


def alarm_on(system: System, metric: str) -> Resource:
    (alarm,) = [
        a for a in system.of_type("AWS::CloudWatch::Alarm") if a.properties.get("MetricName") == metric
    ]
    return alarm


def allowed(system: System, handler: str) -> dict[str, set[str]]:
    """What a function may do, and with what."""
    return {
        action: {text_of(resource) for resource in as_list(statement["Resource"])}
        for statement in system.statements(system.functions[handler])
        if statement["Effect"] == "Allow"
        for action in as_list(statement["Action"])
    }


def test_the_auditor_runs_every_hour(system: System) -> None:
    (schedule,) = [
        s
        for s in system.of_type("AWS::Scheduler::Schedule")
        if s.properties["Name"].endswith("-platform-job-audit")
    ]
    assert schedule.properties["ScheduleExpression"] == "rate(1 hour)"
    assert schedule.properties["State"] == "ENABLED"


def test_a_finding_wakes_somebody_up(system: System) -> None:
    alarm = alarm_on(system, "AuditFindings").properties
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (1, "GreaterThanOrEqualToThreshold")
    assert alarm["AlarmActions"]
    assert {d["Name"]: d["Value"] for d in alarm["Dimensions"]} == {"service": "platform", "stage": "dev"}


def test_an_auditor_that_does_not_run_wakes_somebody_up(system: System) -> None:
    alarm = alarm_on(system, "AuditRuns").properties
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (1, "LessThanThreshold")
    assert alarm["TreatMissingData"] == "breaching"
    assert alarm["Period"] * alarm["EvaluationPeriods"] == 2 * 3600
    assert alarm["AlarmActions"]


def test_the_auditor_changes_nothing(system: System) -> None:
    may = allowed(system, AUDITOR)
    assert {
        a for a in may if a.split(":")[0] in ("sns", "sqs", "states", "lambda", "secretsmanager", "s3")
    } == {
        "states:ListExecutions",
        "lambda:InvokeFunction",
    }
    (reader,) = may["lambda:InvokeFunction"]
    assert reader.endswith(f":function:{system.functions[READER].properties['FunctionName']}:live")
    assert all(user.endswith("/auditor") for user in may["rds-db:connect"])


def test_the_auditor_is_told_which_function_reads_the_gateways(system: System) -> None:
    environment = system.environment(system.functions[AUDITOR])
    assert environment["GATEWAY_READER"] == f"{system.functions[READER].properties['FunctionName']}:live"


def test_who_reads_the_gateways_writes_no_messages_and_no_database(system: System) -> None:
    may = allowed(system, READER)
    assert not [action for action in may if action.split(":")[0] in ("sns", "sqs", "states", "rds-db")]
