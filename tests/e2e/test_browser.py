"""A real browser at the box office: cross-origin calls with a real preflight, headers, hostile text, the docs page.

The browser is `@sparticuz/chromium`, made for x86-64 Linux only: elsewhere these tests are skipped and say so.
"""

import json
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.laptop import REPOSITORY, Laptop

pytestmark = pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64"),
    reason=f"the test browser is published for x86-64 only, this is {platform.machine()}",
)

Json = dict[str, Any]
SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "strict-transport-security": "max-age=63072000; includeSubDomains",
}


@pytest.fixture(scope="module")
def seen(laptop: Laptop, tmp_path_factory: pytest.TempPathFactory) -> Json:
    """What the browser saw on its round (tests/e2e/browser/browser.mjs)."""
    picture = tmp_path_factory.mktemp("browser") / "docs.png"
    script = Path(__file__).parent / "browser/browser.mjs"
    done = subprocess.run(
        ["node", str(script), laptop.url, str(picture)],
        cwd=REPOSITORY,
        env={**os.environ, "AWS_EXECUTION_ENV": "AWS_Lambda_nodejs20.x"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert picture.stat().st_size > 10_000
    told: Json = json.loads(done.stdout)
    return told


def test_a_page_of_ours_reads_answers_and_their_headers(seen: Json) -> None:
    profile, held, again = (seen["ours"][name] for name in ("profile", "held", "heldAgain"))

    assert (profile["status"], profile["json"]["email"]) == (200, "attendee@example.com")
    assert profile["headers"]["api-version"] == "1"
    assert profile["headers"]["x-request-id"]
    assert (held["status"], again["status"]) == (201, 201)
    assert again["headers"]["idempotency-replayed"] == "true"
    assert again["json"] == held["json"]
    assert seen["ours"]["released"]["status"] == 204


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("forbidden", 403, "FORBIDDEN"),
        ("noToken", 401, "UNAUTHORIZED"),
        ("noRoute", 404, "NOT_FOUND"),
        ("throttled", 429, "TOO_MANY_REQUESTS"),
    ],
)
def test_a_page_of_ours_reads_errors_whoever_answers(seen: Json, name: str, status: int, code: str) -> None:
    answer = seen["ours"][name]

    assert (answer["status"], answer["json"]["error"]["code"]) == (status, code)
    assert answer["headers"]["x-request-id"] == answer["json"]["error"]["requestId"]


def test_a_page_of_ours_is_told_when_to_come_back(seen: Json) -> None:
    assert int(seen["ours"]["throttled"]["headers"]["retry-after"]) > 0


@pytest.mark.parametrize("request_", ["simple", "preflighted", "written"])
def test_a_foreign_page_reads_nothing(seen: Json, request_: str) -> None:
    assert seen["foreign"][request_] == {"blocked": "TypeError"}


def test_hostile_text_is_shown_and_not_run(seen: Json) -> None:
    page = seen["hostile"]

    assert (page["images"], page["scripts"], page["title"]) == (0, 0, "")
    assert json.loads(page["text"])["name"] == page["name"]
    assert page["headers"]["content-type"] == "application/json"
    assert SECURITY_HEADERS.items() <= page["headers"].items()


def test_the_docs_page_shows_and_tries_every_operation_without_a_complaint(seen: Json) -> None:
    page = seen["docs"]
    document = json.loads((REPOSITORY / "functions/platform/openapi.json").read_text())
    named = {operation["operationId"] for path in document["paths"].values() for operation in path.values()}

    assert (page["status"], page["complaints"]) == (200, [])
    assert set(page["operations"]) == named
    assert "200" in page["login"]
    assert page["token"]
    assert "attendee@example.com" in page["profile"]
    assert SECURITY_HEADERS.items() <= page["headers"].items()
