"""Maintenance: what writes is refused, what reads is served, and an operator's word counts within a minute."""

from collections.abc import Iterator

import pytest

from functions.payments.models import WebhookAnswer
from shared import maintenance, settings
from shared.api import Api, Declared
from tests.cloud import Extension
from tests.support import call
from tools import openapi

WEBHOOKS = "/webhooks/"
SERVED_ANYWAY = {"login", "refresh", "logout"}


@pytest.fixture
def flag(extension: Extension, monkeypatch: pytest.MonkeyPatch) -> Iterator[Extension]:
    """The flags of a stage, and its parameters, which are read anew each time."""
    monkeypatch.setenv("SETTINGS_PREFIX", "/box-office/dev")
    monkeypatch.setattr(settings, "REFRESH_SECONDS", -1)
    extension.parameters["maintenance_retry_after_seconds"] = "90"
    yield extension
    maintenance.RETRY_AFTER_SECONDS._value = None


def turn(flag: Extension, on: bool) -> None:
    flag.turn("maintenance", on)


def api_of(method: str, *, during_maintenance: bool = False) -> Api:
    api = Api("events")

    @api.route(method, "/api/things", during_maintenance=during_maintenance)
    def things() -> WebhookAnswer:
        return WebhookAnswer()

    return api


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_writing_is_refused_and_told_when_to_come_back(flag: Extension, method: str) -> None:
    turn(flag, on=True)

    reply = call(api_of(method).handler, method, "/api/things")

    assert (reply.status, reply.code, reply.headers["Retry-After"]) == (503, "MAINTENANCE", "90")


def test_reading_goes_on(flag: Extension) -> None:
    turn(flag, on=True)

    assert call(api_of("GET").handler, "GET", "/api/things").status == 200


def test_what_has_to_be_served_anyway_is(flag: Extension) -> None:
    turn(flag, on=True)

    assert call(api_of("POST", during_maintenance=True).handler, "POST", "/api/things").status == 200


def test_the_flag_is_read_anew(flag: Extension) -> None:
    handler = api_of("POST").handler
    turn(flag, on=False)
    before = call(handler, "POST", "/api/things").status
    turn(flag, on=True)
    during = call(handler, "POST", "/api/things").status
    turn(flag, on=False)

    assert (before, during, call(handler, "POST", "/api/things").status) == (200, 503, 200)


def test_a_flag_that_cannot_be_read_closes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLAGS_PATH", "/flags")  # and nobody answers for it
    monkeypatch.setenv("AWS_APPCONFIG_EXTENSION_HTTP_PORT", "1")

    assert call(api_of("POST").handler, "POST", "/api/things").status == 200


def test_of_all_that_writes_only_sessions_and_what_providers_tell_go_on() -> None:
    served = {d.function.__name__ for d in declared() if d.method != "GET" and d.during_maintenance}
    told = {d.function.__name__ for d in declared() if WEBHOOKS in d.path}

    assert served == told | SERVED_ANYWAY


def declared() -> list[Declared]:
    return [found for file in openapi.route_files() for found in openapi.declared_in(file)]
