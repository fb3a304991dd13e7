"""Grants taken out of a copy of the template: the functions that lack them fail, as they would on AWS, and say so."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.client import PASSWORD, eventually
from tests.e2e.laptop import Laptop

PREFIX = "box-office-dev-"
# Functions, and what is taken away from each.
TAKEN = {
    "events-search-events": "rds-db:connect",
    "auth-register": "sns:Publish",
}


@pytest.fixture(scope="module")
def poorer(assembly: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    """A laptop cloud whose template lacks these, and the permission of API Gateway to call the health of tickets."""
    scratch = tmp_path_factory.mktemp("scratch") / "cdk.out"
    shutil.copytree(assembly, scratch)
    for file in scratch.glob("*.template.json"):
        template = json.loads(file.read_text())
        take(template["Resources"])
        file.write_text(json.dumps(template))
    with Laptop(assembly=scratch, may_be_denied=True) as running:
        yield running


def take(resources: dict[str, Any]) -> None:
    for id_, resource in list(resources.items()):
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::Lambda::Permission" and "/GET/api/health/tickets" in json.dumps(
            properties
        ):
            del resources[id_]
        name = str(properties.get("FunctionName", "")).removeprefix(PREFIX)
        if resource["Type"] == "AWS::Lambda::Function" and name in TAKEN:
            strip(resources, properties["Role"]["Fn::GetAtt"][0], TAKEN[name])


def strip(resources: dict[str, Any], role: str, action: str) -> None:
    for resource in resources.values():
        if resource["Type"] == "AWS::IAM::Policy" and {"Ref": role} in resource["Properties"]["Roles"]:
            document = resource["Properties"]["PolicyDocument"]
            document["Statement"] = [s for s in document["Statement"] if action not in s["Action"]]


def test_a_function_that_lacks_a_grant_fails_and_it_is_recorded(poorer: Laptop) -> None:
    visitor = poorer.client
    # A machine that is busy starting says 429 first.
    eventually(lambda: visitor.get("/api/events/search?q=x").status == 503)
    eventually(lambda: visitor.get("/api/health/tickets").status == 500)
    person = {"email": "poor@example.com", "password": PASSWORD, "firstName": "Poor", "lastName": "Person"}
    person["dateOfBirth"] = "1990-05-17"
    visitor.post("/api/auth/register", person).expect(201)  # what it has to tell waits in its outbox
    eventually(lambda: ("auth-register", "sns:Publish") in recorded(poorer))
    assert ("events-search-events", "rds-db:connect") in recorded(poorer)
    assert ("/api/health/tickets", "lambda:InvokeFunction") in {
        (who.rsplit("GET")[-1], what) for who, what in recorded(poorer)
    }


def test_whoever_has_its_grants_is_served(poorer: Laptop) -> None:
    assert poorer.client.get("/api/health/events").status == 200
    assert {who for who, _ in recorded(poorer) if "-" in who} <= set(TAKEN) | {"apigateway"}


def recorded(laptop: Laptop) -> set[tuple[str, str]]:
    return {(line["caller"].removeprefix(PREFIX), line["action"]) for line in laptop.denied()}
