"""Hostile values × every operation of the document: told apart, named, never stored, never logged, never a 5xx.

The operations and their fields come from the OpenAPI document, the requests that they are put into from the rows of the
authorization matrix: a new route is covered once it is documented.
"""

import http.client
import json
import re
import sys
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from tests import dump
from tests.e2e.client import Client
from tests.e2e.laptop import Laptop
from tests.security import hostile_values as values
from tests.security.hostile_places import Operation, Place, operations
from tests.security.requests import REQUESTS, Wanted
from tests.security.test_authorization_matrix import ROWS
from tests.security.world import World

# Failed sign-ins count against the address that they come from: on Linux nobody else's.
HOSTILE_ADDRESS = "127.0.0.66" if sys.platform == "linux" else "127.0.0.1"
# A machine with too much to do says so; what stumbles does it each time.
TRIES = 4
MARK = re.compile(r"hst[0-9a-f]{12}x")
OPERATIONS = {operation.row: operation for operation in operations()}
# The documents themselves, with nothing to say of the request.
SKIPPED_VALUES = {"GET /api/openapi.json", "GET /api/docs"}


@dataclass(frozen=True)
class Heard:
    """An answer: `body` is its JSON, or None if it has none."""

    status: int
    headers: dict[str, str]
    body: Any

    @property
    def fields(self) -> set[str]:
        """The fields that an error names."""
        return {detail["field"] for detail in self.body["error"]["details"]}


@dataclass
class Attacker:
    """Sends one operation's hostile requests, over one connection, and holds every answer against the document."""

    operation: Operation
    wanted: Wanted
    token: str | None
    port: int
    refused: set[str] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)
    complaints: list[str] = field(default_factory=list)
    sent: int = 0
    _connection: http.client.HTTPConnection | None = None

    def ask(
        self,
        *,
        path: str | None = None,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        mark: str = "",
        about: object = "",
    ) -> Heard:
        """Send it with these changes."""
        if body is None and self.wanted.body is not None:
            body = values.in_json(self.wanted.body)
        sent = {"Content-Type": "application/json", "Idempotency-Key": str(uuid4())}
        sent |= {"Authorization": f"Bearer {self.token}"} if self.token else {}
        for _ in range(TRIES):
            heard = self._send(path or self.wanted.path, body, sent | (headers or {}))
            if heard.status not in (503, 504):
                break
        self.sent += 1
        if mark:
            (self.refused if heard.status >= 400 else self.taken).add(mark)
        complaint = self.operation.complaints(heard.status, heard.body)
        if heard.status >= 500:
            complaint = f"{heard.status}: {heard.body}"
        if complaint:
            self.complaints.append(f"{self.operation.row} with {str(about)[:150]!r}: {complaint}")
        return heard

    def blame(self, about: object, heard: Heard, why: str) -> None:
        """Say what should have been otherwise."""
        said = str(heard.body)[:300]
        self.complaints.append(
            f"{self.operation.row} with {str(about)[:150]!r}: {why}: {heard.status} {said}"
        )

    def _send(self, path: str, body: bytes | None, headers: dict[str, str]) -> Heard:
        for last in (False, True):
            if self._connection is None:
                self._connection = http.client.HTTPConnection(
                    "127.0.0.1", self.port, timeout=40, source_address=(HOSTILE_ADDRESS, 0)
                )
            try:
                raw = {name: value.encode() for name, value in headers.items()}
                self._connection.request(self.operation.method, path, body, raw)
                answer = self._connection.getresponse()
                content = answer.read()
                break
            except (http.client.HTTPException, OSError):
                self._connection.close()
                self._connection = None
                if last:
                    raise
        said = answer.headers.get("Content-Type", "")
        read = json.loads(content) if content and said.startswith("application/json") else None
        return Heard(answer.status, dict(answer.headers), read)


@pytest.fixture(scope="module")
def world(laptop: Laptop) -> World:
    return World(laptop)


@dataclass
class Words:
    """One word of each request, by what became of it, and the number of requests."""

    refused: set[str] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)
    sent: int = 0


@pytest.fixture(scope="module")
def words(laptop: Laptop) -> Words:
    return Words()


def who(world: World, row: str) -> Client:
    """The least of those who may do it; somebody signed in, if it is for everybody."""
    for person, status in zip(world.people.values(), ROWS[row], strict=True):
        if status < 300:
            return person
    return world.attendee if ROWS[row][0] == 401 else world.people["nobody"]


@pytest.mark.parametrize("row", OPERATIONS)
def test_no_operation_stumbles_over_a_hostile_value(
    laptop: Laptop, world: World, words: Words, row: str
) -> None:
    operation = OPERATIONS[row]
    person = who(world, row)
    if row == "POST /api/auth/logout":
        person = person.signed_in(str(person.email))
    attacker = Attacker(operation, REQUESTS[row](world), person.token, laptop.port)
    _headers(attacker)
    if row not in SKIPPED_VALUES:
        _parameters(attacker)
    if operation.takes_body:
        _raw_bodies(attacker)
        _fields(attacker)
    words.refused |= attacker.refused
    words.taken |= attacker.taken
    words.sent += attacker.sent

    assert attacker.complaints == []


def test_of_what_was_refused_nothing_is_kept_and_of_nothing_a_word_is_in_a_log(
    laptop: Laptop, words: Words
) -> None:
    """After all of them; what was taken is found, so that what is not found is not there."""
    if not words.sent:
        pytest.skip("nothing was sent")
    found = {place: set(MARK.findall(text)) for place, text in dump.everything(laptop).items()}

    assert {place: marks & words.refused for place, marks in found.items() if marks & words.refused} == {}
    assert {place: marks for place, marks in found.items() if marks and place.startswith("log")} == {}
    assert set().union(*found.values()) & words.taken


def test_every_operation_of_the_document_has_a_request() -> None:
    assert set(OPERATIONS) <= set(REQUESTS)


def a_mark() -> str:
    return f"hst{uuid4().hex[:12]}x"


def spread(of: tuple[Any, ...], many: int, row: str) -> list[Any]:
    """So many of them, others for every operation, so that each is tried somewhere and most in many places."""
    start = sum(row.encode()) % len(of)
    step = next(s for s in (7, 11, 13) if len(of) % s)
    return [of[(start + number * step) % len(of)] for number in range(min(many, len(of)))]


def _headers(attacker: Attacker) -> None:
    for name, value in spread(values.HEADERS, 6, attacker.operation.row):
        heard = attacker.ask(headers={name: value}, about=(name, value))
        # Who may read an error is told of whatever origin asks.
        if name != "Origin" and value[:30] in json.dumps(heard.headers):
            attacker.blame((name, value), heard, "echoed in a header")


def _parameters(attacker: Attacker) -> None:
    for place in attacker.operation.parameters():
        for value in spread(place.values(), 10, attacker.operation.row + place.name):
            mark = a_mark()
            heard = attacker.ask(path=_with(attacker, place, value), mark=mark, about=(place.name, value))
            if any(name.lower() == "x-injected" for name in heard.headers):
                attacker.blame((place.name, value), heard, "a header was injected")
            if place.where == "query" and heard.status == 400 and heard.fields != {place.name}:
                attacker.blame((place.name, value), heard, "another field is named")
    names = [place.name for place in attacker.operation.parameters() if place.where == "query"]
    for name in names[:1]:
        url = f"{urlsplit(attacker.wanted.path).path}?{name}=a&{name}=b&{name}[]=c&{name}.x=d"
        attacker.ask(path=url, about="repeated")


def _with(attacker: Attacker, place: Place, value: str) -> str:
    """The URL with the value in the place of this parameter."""
    url = urlsplit(attacker.wanted.path)
    if place.where == "query":
        others = [part for part in url.query.split("&") if part and part.split("=")[0] != place.name]
        return f"{url.path}?{'&'.join([*others, f'{place.name}={value}'])}"
    declared, given = attacker.operation.path.split("/"), url.path.split("/")
    parts = [value if part == f"{{{place.name}}}" else given[i] for i, part in enumerate(declared)]
    return "/".join(parts) + (f"?{url.query}" if url.query else "")


def _raw_bodies(attacker: Attacker) -> None:
    row = attacker.operation.row
    for body in spread(values.BODIES, 8, row):
        heard = attacker.ask(body=body, about=body[:60])
        if heard.status < 400:
            attacker.blame(body[:60], heard, "taken")
    for kind in spread(values.TYPES, 2, row):
        attacker.ask(headers={"Content-Type": kind}, about=kind)
    if isinstance(attacker.wanted.body, dict) and attacker.wanted.body:
        name, value = next(iter(attacker.wanted.body.items()))
        once = json.dumps({name: value})[1:-1]
        attacker.ask(
            body=f'{{{once}, "{name}": null, {json.dumps(name)}: [1]}}'.encode(), about="doubled keys"
        )


def _fields(attacker: Attacker) -> None:
    """All fields hostile at once, each with another value, and then each alone."""
    body = attacker.wanted.body
    places = attacker.operation.fields(body)
    for turn in range(12):
        mark, changed = a_mark(), body
        for number, place in enumerate(places):
            chosen = place.values()
            value = values.marked(chosen[(turn * 5 + number * 3) % len(chosen)], mark)
            try:
                changed = place.put(changed, value)
            except (TypeError, LookupError):
                continue  # what it lies in has become something else
        attacker.ask(body=values.in_json(changed), mark=mark, about=changed)
    for place in places:
        for value in spread(place.values(), 12, attacker.operation.row + place.name):
            _one_field(attacker, place, value)


def _one_field(attacker: Attacker, place: Place, value: Any) -> None:
    mark = a_mark()
    value = values.marked(value, mark)
    about = (place.name, value)
    heard = attacker.ask(body=values.in_json(place.put(attacker.wanted.body, value)), mark=mark, about=about)
    if heard.status == 413:
        return
    if not place.is_right(value) and heard.status < 400:
        attacker.blame(about, heard, "taken, against the document")
    unstorable = isinstance(value, str) and ("\x00" in value or "\\ud" in value)
    if unstorable and heard.status != 400:
        attacker.blame(about, heard, "taken, though it cannot be stored")
    if heard.status == 400 and heard.body["error"]["code"] == "VALIDATION_ERROR":
        top = re.split(r"[.\[]", place.name)[0]
        if not any(re.split(r"[.\[]", named)[0] in (top, "body") for named in heard.fields):
            attacker.blame(about, heard, "the offending field is not named")
