"""A stage that somebody will rely on is not deployed while its fields are examples."""

from dataclasses import replace

import aws_cdk as cdk
import pytest

from cdk import stages
from cdk.stages import DEV, PROD, STAGING, Stage

FILLED = replace(
    PROD,
    mail_domain="tickets.example.com",
    web_origins=("https://www.example.com",),
    public_url=None,
    domain="api.example.com",
    certificate="arn:aws:acm:us-east-1:111122223333:certificate/a",
    alarm_addresses=("somebody@example.com",),
)


def rules(stage: Stage) -> str:
    app = cdk.App(analytics_reporting=False)
    stack = cdk.Stack(app, "Any")
    cdk.CfnResource(stack, "One", type="AWS::SNS::Topic")
    stages.refuse_gaps(app.node, stage)
    template = app.synth().get_stack_by_name("Any").template
    return str(template["Rules"].get("StageIsFilledIn"))


def test_production_is_refused_with_the_fields_that_are_to_be_filled_in() -> None:
    assert stages.gaps(PROD) == ["mail_domain", "web_origins", "domain", "public_url", "alarm_addresses"]
    assert "Fill in mail_domain, web_origins, domain, public_url, alarm_addresses" in rules(PROD)


def test_production_is_deployed_once_they_are() -> None:
    assert stages.gaps(FILLED) == []
    assert rules(FILLED) == "None"


def test_staging_wants_names_that_lead_somewhere_and_a_first_look_at_dev_wants_nothing() -> None:
    assert stages.gaps(STAGING) == ["mail_domain", "web_origins", "public_url"]
    assert (stages.gaps(DEV), rules(DEV)) == ([], "None")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("web_origins", ("https://www.example.com", "https://www.box-office.example:8443")),
        ("public_url", "https://www.box-office.example/tickets"),
        ("alarm_addresses", ()),
    ],
)
def test_one_field_is_enough_to_be_refused(field: str, value: object) -> None:
    assert stages.gaps(replace(FILLED, **{field: value})) == [field]  # type: ignore[arg-type]  # any field
