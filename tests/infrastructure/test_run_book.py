"""Every alarm has a page in the run book, every page an alarm, and each page says what to look at and what to do."""

import re
from pathlib import Path

import pytest

from cdk.stages import STAGES
from tests.infrastructure.template import ROOT, System
from tests.unit.test_commands import commands

RUN_BOOK = ROOT / "docs" / "run-book"
PAGES = sorted(page for page in RUN_BOOK.glob("*.md") if page.name != "README.md")
NAMED = re.compile(r"Run book: (docs/run-book/[\w-]+\.md)$")
RINGS = ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")


def named_pages(system: System) -> dict[str, str]:
    """The page that each alarm, notice and subscription to RDS's events names, by its own name."""
    found = {}
    for type in (*RINGS, "AWS::Events::Rule"):
        for resource in system.of_type(type):
            properties = resource.properties
            said = NAMED.search(properties.get("AlarmDescription", properties.get("Description", "")))
            found[f"{resource.stack}/{resource.id}"] = said[1] if said else ""
    for subscription in system.of_type("AWS::RDS::EventSubscription"):
        found[f"{subscription.stack}/{subscription.id}"] = subscription.metadata["run-book"]
    return found


def test_every_alarm_names_a_page_that_exists(system: System, production: System) -> None:
    for stage in (system, production):
        pages = named_pages(stage)
        assert pages
        assert {name: page for name, page in pages.items() if not page or not (ROOT / page).is_file()} == {}


def test_every_page_belongs_to_an_alarm(system: System, production: System) -> None:
    named = {*named_pages(system).values(), *named_pages(production).values()}
    assert {str(page.relative_to(ROOT)) for page in PAGES} == named


def test_every_alarm_is_called_by_name_on_its_page(production: System) -> None:
    """Its own, or where there is one for each queue or server, the family's."""
    for type in RINGS:
        for alarm in production.of_type(type):
            said = NAMED.search(alarm.properties["AlarmDescription"])
            assert said
            name = alarm.properties["AlarmName"].removeprefix("box-office-prod-")
            page = (ROOT / said[1]).read_text()
            families = re.findall(r"(\w+)…", page)
            parts = [name.removesuffix("Long"), name.removesuffix("Short"), name]
            assert any(part in page for part in parts) or any(name.startswith(f) for f in families), name


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_a_page_says_what_it_means_what_to_look_at_and_what_to_do(page: Path) -> None:
    text = page.read_text()
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Means", "Look at", "Do"]
    assert "```bash\n" in text.split("## Look at")[1].split("## Do")[0]
    for link in re.findall(r"\]\(([^)#]+)", text):
        assert (page.parent / link).exists(), link


def test_an_invocation_is_waited_for_as_long_as_the_function_may_run(production: System) -> None:
    """After a minute the command line would give up and invoke it again: a second ticket, a second event."""
    names = {f.properties["FunctionName"]: f.properties["Timeout"] for f in production.functions.values()}
    for page in [ROOT / "docs" / "operations.md", *PAGES]:
        for command in commands(page.read_text()):
            called = [word.strip('"').replace("<stage>", "prod") for word in command.words]
            if (command.service, command.operation) != ("lambda", "invoke") or called[1] not in names:
                continue
            waited = (
                called[called.index("--cli-read-timeout") + 1]
                if "cli-read-timeout" in command.options
                else 60
            )
            assert int(waited) > names[called[1]], called[1]


def test_the_region_that_an_operator_says_first_is_that_of_every_stage() -> None:
    first = (ROOT / "docs" / "operations.md").read_text().split("```bash\n")[1].split("```")[0]
    regions = {stage.region for stage in STAGES.values()}
    assert {word.split("=")[0]: {word.split("=")[1]} for word in first.split()[1:]} == {
        "AWS_REGION": regions,  # the command line's
        "AWS_DEFAULT_REGION": regions,  # boto3's
    }


def test_the_list_of_pages_has_them_all_and_operations_leads_to_it() -> None:
    listed = set(re.findall(r"\]\(([\w-]+\.md)\)", (RUN_BOOK / "README.md").read_text()))
    assert listed == {page.name for page in PAGES}
    assert "(run-book/README.md)" in (ROOT / "docs" / "operations.md").read_text()


def test_every_alarm_rings_somebody_or_is_part_of_one_that_does(system: System) -> None:
    parts = str([c.properties["AlarmRule"] for c in system.of_type("AWS::CloudWatch::CompositeAlarm")])
    for type in RINGS:
        for alarm in system.of_type(type):
            assert alarm.properties.get("AlarmActions") or alarm.id in parts, alarm.id


def test_no_alarm_has_more_metrics_than_cloudwatch_takes(production: System) -> None:
    for alarm in production.of_type("AWS::CloudWatch::Alarm"):
        metrics = [m for m in alarm.properties.get("Metrics", []) if "MetricStat" in m]
        assert len(metrics) <= 10, alarm.id


def test_every_job_that_runs_by_the_clock_is_watched(system: System) -> None:
    watched = str([a.properties.get("Metrics") for a in system.of_type("AWS::CloudWatch::Alarm")])
    schedules = system.of_type("AWS::Scheduler::Schedule")
    assert schedules
    for schedule in schedules:
        assert f"'{schedule.properties['Name']}'" in watched


def test_every_queue_s_oldest_message_is_watched(system: System) -> None:
    watched = str([a.properties.get("Metrics") for a in system.of_type("AWS::CloudWatch::Alarm")])
    for queue in system.of_type("AWS::SQS::Queue"):
        name = queue.properties["QueueName"]
        assert name.endswith("-dead-letters") or f"'{name}'" in watched
