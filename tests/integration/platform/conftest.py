"""The auditor on the databases of services that have sold something; a server that a deployment has prepared."""

from collections.abc import Iterator

import pytest

from functions.platform import databases
from functions.platform.jobs import migrate
from local.postgres import Postgres
from tests.cloud import Extension
from tests.payments_shop import paypal_server as paypal_server
from tests.payments_shop import shop as shop
from tests.payments_shop import stripe_server as stripe_server
from tests.servers import running_postgres
from tests.ticket_sales import sales as sales
from tests.whole_shop import whole_shop as whole_shop

ADMIN_SECRET = "arn:aws:secretsmanager:us-east-1:000000000000:secret:admin"


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """A server with no database of ours."""
    with running_postgres() as postgres:
        yield postgres


@pytest.fixture
def deployed(server: Postgres, extension: Extension, monkeypatch: pytest.MonkeyPatch) -> Postgres:
    """The server once the deployment's job has run; functions know its administrator."""
    for service in databases.SERVICES:
        monkeypatch.setenv(f"{service.upper()}_ADMIN_SECRET_ARN", ADMIN_SECRET)
        monkeypatch.setenv(f"{service.upper()}_ADMIN_HOST", server.host)
    monkeypatch.setenv("ADMIN_PORT", str(server.port))
    extension.secrets[ADMIN_SECRET] = {"username": "postgres", "password": "unused"}
    migrate.handler({}, None)
    return server
