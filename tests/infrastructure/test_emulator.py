"""The dev stage deployed into an AWS emulator nobody here wrote, and used through that emulator's API Gateway.

What is foreign here: CloudFormation's reading of our templates (references, exports, order, properties), Lambda's of
our zips and layers, API Gateway's of our methods and authorizer, SNS's and SQS's of our subscriptions and event source
mappings, Secrets Manager's and Parameter Store's of what the templates put there. PostgreSQL and Valkey are real.

What is not tried: the types in `left_aside.py`, with reasons. Functions run on this machine's processor and Python,
with the virtual environment in place of the third-party layer; schedules are paused and time-outs are longer. Nothing
checks permissions or firewalls, so the API answers without CloudFront before it. The purchase's state machine is
deployed and not run: this emulator's interpreter is not up to it, and `tests/saga` runs it on another.
"""

import json
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from secrets import token_urlsafe
from typing import Any

import psycopg2
import pytest
from botocore.exceptions import ClientError
from psycopg2 import sql

from local.postgres import Postgres
from tests.e2e.client import eventually
from tests.infrastructure.emulated_extension import extension_of
from tests.infrastructure.emulator import Emulator, running_ministack
from tests.infrastructure.left_aside import LEFT_ASIDE, UNKNOWN
from tests.infrastructure.template import System
from tests.servers import running_postgres, running_valkey

pytestmark = pytest.mark.timeout(300)  # a function's first call takes seconds on a busy machine

ADA = {
    "email": "ada@people.example",
    "password": "correct horse battery staple",
    "firstName": "Ada",
    "lastName": "Lovelace",
    "dateOfBirth": "1990-12-10",
}


@dataclass(frozen=True)
class Deployed:
    """The stage in the emulator."""

    emulator: Emulator
    postgres: Postgres
    statuses: dict[str, str]

    def ask(self, method: str, path: str, body: Any = None, token: str | None = None) -> tuple[int, Any]:
        """A request through the emulator's API Gateway; status and body, as JSON where it is JSON."""
        apis = self.emulator.client("apigateway").get_rest_apis()["items"]
        (api,) = [api["id"] for api in apis if api["name"] == "box-office-dev"]
        request = urllib.request.Request(
            f"{self.emulator.url}/restapis/{api}/dev/_user_request_{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"}
            | ({"Authorization": f"Bearer {token}"} if token else {}),
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, _read(answer.read())
        except urllib.error.HTTPError as refused:
            return refused.code, _read(refused.read())

    def rows(self, database: str, statement: str) -> list[tuple[Any, ...]]:
        """Rows of a service's database."""
        connection = psycopg2.connect(self.postgres.dsn(database))
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall()
        finally:
            connection.close()


def _read(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode()


@pytest.fixture(scope="module")
def deployed(system: System, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """Deployed, and what CloudFormation would have run in between: the migrations, the making of keys."""
    folder = tmp_path_factory.mktemp("emulator")
    with running_postgres() as postgres, running_valkey() as cache, running_ministack(folder) as emulator:
        administrator = {"username": "box_office_admin", "password": token_urlsafe()}
        _make_administrator(postgres, administrator)
        made = emulator.client("secretsmanager").create_secret(
            Name="administrator", SecretString=json.dumps(administrator)
        )
        with extension_of(emulator.client) as extension:
            variables = {
                r"(DATABASE_)?(\w+_)?HOST": postgres.host,
                r"(DATABASE_|ADMIN_)(\w+_)?PORT": str(postgres.port),
                r"\w+_ADMIN_SECRET_ARN": made["ARN"],  # RDS would have made it; the emulator's does not tell
                "CACHE_PORT": str(cache.port),
                "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT": str(extension),
            }
            emulator.bootstrap(system)
            statuses = emulator.deploy(system, variables)
            yield Deployed(emulator, postgres, statuses)


@pytest.fixture(scope="module")
def migrated(deployed: Deployed, system: System) -> Deployed:
    """The functions that CloudFormation would have run while it deployed, invoked in that order."""
    assert set(deployed.statuses.values()) == {"CREATE_COMPLETE"}
    for trigger in _triggered(system):
        deployed.emulator.invoke(trigger)
    return deployed


def _make_administrator(postgres: Postgres, secret: dict[str, Any]) -> None:
    connection = psycopg2.connect(postgres.dsn("postgres"))
    connection.autocommit = True
    with connection.cursor() as cursor:
        create = sql.SQL("CREATE ROLE {} LOGIN CREATEDB CREATEROLE PASSWORD {}")
        cursor.execute(create.format(sql.Identifier(secret["username"]), sql.Literal(secret["password"])))
    connection.close()


def _triggered(system: System) -> list[str]:
    """The functions that run once on each deployment, the migrations first."""
    names = []
    for trigger in system.of_type("Custom::Trigger"):
        version = system.target(trigger.stack, trigger.properties["HandlerArn"])
        function = system.target(version.stack, version.properties["FunctionName"])
        names.append(str(function.properties["FunctionName"]))
    return sorted(names, key=lambda name: not name.endswith("migrate"))


def test_every_stack_is_created_whole(deployed: Deployed, system: System) -> None:
    assert {s: status for s, status in deployed.statuses.items() if status != "CREATE_COMPLETE"} == {}
    for stack in system.in_order:
        declared = {id: body["Type"] for id, body in stack.template["Resources"].items()}
        kept = {id: type for id, type in declared.items() if id not in deployed.emulator.aside[stack.name]}
        assert deployed.emulator.resources(stack.name) == kept


def test_a_template_without_the_third_party_packages_is_refused(deployed: Deployed, system: System) -> None:
    template = next(stack.template for stack in system.in_order if stack.name.endswith("-auth"))
    with pytest.raises(ClientError, match="to be read, not to be deployed"):
        deployed.emulator.create("box-office-dev-auth-again", template)


def test_a_stage_that_is_not_filled_in_is_refused_with_what_it_lacks(
    deployed: Deployed, production: System
) -> None:
    for stack in production.in_order:
        assert "StageIsFilledIn" in stack.template["Rules"], stack.name
    template = next(stack.template for stack in production.in_order if stack.name.endswith("-settings"))
    with pytest.raises(ClientError, match=r"Fill in mail_domain, .* of the stage prod"):
        deployed.emulator.create("box-office-prod-settings", template)


def test_what_is_left_aside_is_counted_and_little(deployed: Deployed, system: System) -> None:
    counts = Counter(type for aside in deployed.emulator.aside.values() for type in aside.values())
    total = len(system.resources)
    for type, count in sorted(counts.items()):
        print(f"{count:3} {type}: {LEFT_ASIDE.get(type, UNKNOWN)}")
    print(f"{total - counts.total()} of {total} resources deployed")
    assert counts.total() <= 0.08 * total


def test_public_routes_without_a_database_answer_through_its_api_gateway(deployed: Deployed) -> None:
    status, document = deployed.ask("GET", "/api/openapi.json")
    assert (status, document["openapi"][:2]) == (200, "3.")
    status, page = deployed.ask("GET", "/api/docs")
    assert status == 200
    assert "openapi.json" in str(page)


def test_a_route_that_is_not_public_is_refused_by_the_authorizer(migrated: Deployed) -> None:
    assert migrated.ask("GET", "/api/auth/profile")[0] == 401
    assert migrated.ask("GET", "/api/auth/profile", token="a.b.c")[0] == 401


def test_the_migrations_run_as_a_function_that_is_deployed_there(migrated: Deployed) -> None:
    for service in ("auth", "events", "tickets", "payments", "notifications"):
        ((applied,),) = migrated.rows(service, "SELECT count(*) FROM schema_migrations")
        assert applied > 0
    status, health = migrated.ask("GET", "/api/health/auth")
    assert status == 200, health


def test_somebody_registers_verifies_signs_in_and_reads_the_profile(migrated: Deployed) -> None:
    heard = _hears(migrated, "auth")

    status, account = migrated.ask("POST", "/api/auth/register", ADA)
    assert status == 201, account
    token = eventually(lambda: _token(heard()), 30)
    assert migrated.ask("POST", "/api/auth/verify-email", {"token": token})[0] == 200
    status, session = migrated.ask("POST", "/api/auth/login", {k: ADA[k] for k in ("email", "password")})
    assert status == 200, session
    status, profile = migrated.ask("GET", "/api/auth/profile", token=session["accessToken"])
    assert status == 200, profile
    assert profile["firstName"] == "Ada"

    status, keys = migrated.ask("GET", "/.well-known/jwks.json")
    assert (status, len(keys["keys"])) == (200, 1)


def test_what_auth_tells_reaches_another_service_s_database_by_its_sns_and_sqs(migrated: Deployed) -> None:
    migrated.ask("POST", "/api/auth/register", ADA | {"email": "grace@people.example", "firstName": "Grace"})
    eventually(
        lambda: migrated.rows(
            "notifications", "SELECT 1 FROM recipients WHERE email = 'grace@people.example'"
        ),
        60,
    )


def _hears(deployed: Deployed, service: str) -> Any:
    """What a service publishes from now on, read by a queue of the test's own."""
    sns, sqs = deployed.emulator.client("sns"), deployed.emulator.client("sqs")
    (topic,) = [t["TopicArn"] for t in sns.list_topics()["Topics"] if t["TopicArn"].endswith(f"-{service}")]
    url = sqs.create_queue(QueueName="heard")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    seen: list[dict[str, Any]] = []

    def heard() -> list[dict[str, Any]]:
        received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        seen.extend(json.loads(message["Body"]) for message in received)
        return seen

    return heard


def _token(messages: list[dict[str, Any]]) -> str | None:
    return next((m["data"]["token"] for m in messages if "token" in m.get("data", {})), None)
