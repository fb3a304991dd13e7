"""The canary buys its ticket at the laptop cloud, as it would on AWS, and nobody else sees its event."""

import json
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.e2e.client import PASSWORD
from tests.e2e.laptop import Laptop
from tests.e2e.operators import invoke

JOB = "platform-job-buy-free-ticket"
STEPS = {"sign_in", "reserve", "purchase", "paid", "mailed"}


def at_aws(laptop: Laptop, service: str) -> Any:
    """A client of the laptop's AWS."""
    port = json.loads((laptop.state / "ports.json").read_text())["aws"]
    return boto3.client(
        service,
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )


def metrics(logs: Path) -> list[dict[str, Any]]:
    """Every metric that the canary has written."""
    (log,) = logs.rglob(f"box-office-dev-{JOB}.log")
    return [json.loads(line) for line in log.read_text().splitlines() if line.startswith('{"_aws"')]


@pytest.fixture(scope="module")
def event_id(laptop: Laptop) -> str:
    """Set up as the operations page says: an organizer's account, its secret, its event, the parameter."""
    canary = laptop.client.newcomer("ORGANIZER", "Canary")
    account = json.dumps({"email": canary.email, "password": PASSWORD})
    at_aws(laptop, "secretsmanager").put_secret_value(SecretId="box-office-dev-canary", SecretString=account)
    error, answer = invoke(laptop, JOB, {"setUp": True})
    assert error is None
    event: str = answer["eventId"]
    at_aws(laptop, "ssm").put_parameter(Name="/box-office/dev/canary_event", Value=event, Overwrite=True)
    return event


def test_it_buys_a_free_ticket_and_gets_its_mail(laptop: Laptop, event_id: str) -> None:
    for _ in range(2):
        assert invoke(laptop, JOB, {"eventId": event_id}) == (None, {"succeeded": True})

    told = metrics(laptop.state / "logs")
    assert [line["CanarySucceeded"] for line in told if "CanarySucceeded" in line] == [[1], [1]]
    took = [line for line in told if "CanarySeconds" in line]
    assert {line["step"] for line in took} == STEPS
    assert all(0 <= line["CanarySeconds"][0] < 60 for line in took)
    assert {line["stage"] for line in told} == {"dev"}


def test_a_canary_that_cannot_buy_says_at_which_step(laptop: Laptop, event_id: str) -> None:
    nowhere = event_id[:-4] + ("0000" if not event_id.endswith("0000") else "1111")
    error, answer = invoke(laptop, JOB, {"eventId": nowhere})
    assert (error, answer["succeeded"], answer["step"]) == (None, False, "reserve")
    last = [line for line in metrics(laptop.state / "logs") if "CanarySucceeded" in line][-1]
    assert last["CanarySucceeded"] == [0]
