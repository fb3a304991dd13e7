"""Fixtures of every folder of tests: real databases, a real cache, and an environment that reaches nothing else."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

from local.postgres import Postgres
from local.valkey import Valkey
from tests.cloud import Cloud, Extension, empty_cloud, running_emulator, running_extension
from tests.databases import Databases, TestDatabase, connected
from tests.e2e.laptop import Laptop
from tests.infrastructure.synthesis import synthesized
from tests.servers import running_postgres, running_valkey


class _OneLaptop(LoadScopeScheduling):  # type: ignore[misc]  # untyped
    """Deals out tests by the file, but those of the running laptop cloud to one process, and so on by their folders.

    A machine of two cores runs one laptop cloud well, and the whole system is to be synthesized once.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", 1)[0]
        folder = file.split("/")[1]
        together = {"e2e": "laptop", "security": "laptop", "infrastructure": "template", "faults": "faults"}
        return together.get(folder, file)


@pytest.hookimpl(optionalhook=True)  # `pytest -p no:xdist` runs the tests, too
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> _OneLaptop:
    """Who gets which tests, whatever --dist says."""
    return _OneLaptop(config, log)


@pytest.fixture(autouse=True)
def _no_real_cloud(monkeypatch: pytest.MonkeyPatch) -> None:
    """What every Lambda function has, with nothing behind it: a test that forgets a fake fails at once, here."""
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", "9")
    monkeypatch.setenv("STAGE", "dev")
    monkeypatch.setenv("PICTURES_URL", "https://pictures.example")
    monkeypatch.delenv("SETTINGS_PREFIX", raising=False)  # settings have their defaults


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server for this test process."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def databases(postgres: Postgres) -> Databases:
    """Makes clones of the services' databases."""
    return Databases(postgres)


@pytest.fixture(scope="session")
def _valkey() -> Iterator[Valkey]:
    with running_valkey() as server:
        yield server


@pytest.fixture
def cache(_valkey: Valkey, monkeypatch: pytest.MonkeyPatch) -> Valkey:
    """An empty Valkey in cluster mode, found by CACHE_HOST and CACHE_PORT."""
    _valkey.flush()
    monkeypatch.setenv("CACHE_HOST", _valkey.host)
    monkeypatch.setenv("CACHE_PORT", str(_valkey.port))
    monkeypatch.setenv("CACHE_USER", "box-office")
    return _valkey


@pytest.fixture(scope="session")
def _emulator() -> Iterator[str]:
    with running_emulator() as url:
        yield url


@pytest.fixture
def aws(_emulator: str) -> Iterator[Cloud]:
    """An empty AWS account: topics, queues, executions and mails, and what was sent to them."""
    with empty_cloud(_emulator) as cloud:
        yield cloud


@pytest.fixture
def extension() -> Iterator[Extension]:
    """Secrets and parameters, as a function reads them."""
    with running_extension() as answers:
        yield answers


@pytest.fixture
def auth_db(databases: Databases) -> Iterator[TestDatabase]:
    """A fresh database that `functions.auth` is connected to."""
    with databases.clone("auth") as database, connected(database):
        yield database


@pytest.fixture
def events_db(databases: Databases) -> Iterator[TestDatabase]:
    """A fresh database that `functions.events` is connected to."""
    with databases.clone("events") as database, connected(database):
        yield database


@pytest.fixture
def tickets_db(databases: Databases) -> Iterator[TestDatabase]:
    """A fresh database that `functions.tickets` is connected to."""
    with databases.clone("tickets") as database, connected(database):
        yield database


@pytest.fixture
def payments_db(databases: Databases) -> Iterator[TestDatabase]:
    """A fresh database that `functions.payments` is connected to."""
    with databases.clone("payments") as database, connected(database):
        yield database


@pytest.fixture
def notifications_db(databases: Databases) -> Iterator[TestDatabase]:
    """A fresh database that `functions.notifications` is connected to."""
    with databases.clone("notifications") as database, connected(database):
        yield database


@pytest.fixture(scope="session")
def laptop() -> Iterator[Laptop]:
    """A running laptop cloud with the demo's people and events. It synthesizes for itself, as `make run` does."""
    with Laptop(demo=True) as running:
        yield running


@pytest.fixture(scope="session")
def assembly() -> Path:
    """The templates of stage dev, for a laptop cloud to run without synthesizing them again."""
    return synthesized("dev").folder
