"""A small demo for a new state, loaded over HTTP as its people would do it; no table is written by hand."""

import asyncio
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp

from local.console.mails import Mails
from local.demo import EVENTS, PASSWORD, PEOPLE, DemoEvent
from local.invoke_api import FLAGS_FILE
from local.lambdas import LambdaHost
from local.postgres import SUPERUSER, Postgres
from local.processes import CannotStart
from local.state import State

_MAIL_SECONDS = 30.0
_GRANT_ROLE = "-auth-job-grant-role"


@dataclass
class _Api:
    """The API as one person uses it."""

    session: aiohttp.ClientSession
    url: str
    token: str | None = None

    async def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The answer to a POST. Raises CannotStart unless it is a success."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        async with self.session.post(self.url + path, json=body or {}, headers=headers) as answer:
            text = await answer.text()
            if answer.status >= 400:
                raise CannotStart(
                    f"the demo could not be loaded: POST {path} answered {answer.status} {text[:300]}"
                )
            return json.loads(text) if text else None


async def load(url: str, state: State, host: LambdaHost, functions: Iterable[str]) -> str:
    """Make the demo's people and events; how many, in words. Raises CannotStart."""
    mails = Mails(state.mails)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session:
        visitor = _Api(session, url)
        for person in PEOPLE.values():
            await visitor.post(
                "/api/auth/register", {**person, "password": PASSWORD, "dateOfBirth": "1990-05-17"}
            )
        for person in PEOPLE.values():
            await visitor.post("/api/auth/verify-email", {"token": await _token(mails, person["email"])})
        await _make_admin(host, functions, PEOPLE["admin"]["email"])
        login = {"email": PEOPLE["organizer"]["email"], "password": PASSWORD}
        organizer = _Api(session, url, (await visitor.post("/api/auth/login", login))["accessToken"])
        for event in EVENTS:
            await _publish(organizer, event)
    state.seeded.write_text(json.dumps(PEOPLE))
    return f"{len(EVENTS)} events, {len(PEOPLE)} people"


async def _publish(organizer: _Api, event: DemoEvent) -> None:
    evening = datetime.now(UTC).replace(hour=19, minute=0, second=0, microsecond=0)
    date = evening + timedelta(days=event.in_days)
    details = {**event.details, "eventDate": date.isoformat().replace("+00:00", "Z")}
    created = await organizer.post("/api/events", details)
    for ticket_type in event.ticket_types:
        await organizer.post("/api/tickets/types", {"eventId": created["id"], **ticket_type})
    await organizer.post(f"/api/events/{created['id']}/publish")


async def _token(mails: Mails, address: str) -> str:
    """The token in the link that was mailed to this address."""
    deadline = asyncio.get_running_loop().time() + _MAIL_SECONDS
    while asyncio.get_running_loop().time() < deadline:
        for mail in mails.to(address, 1):
            if link := re.search(r"[?&]token=([\w.~-]+)", mail.text):
                return link[1]
        await asyncio.sleep(0.1)
    raise CannotStart(
        f"the demo could not be loaded: no mail with a link reached {address} in {_MAIL_SECONDS:.0f} s"
    )


async def _make_admin(host: LambdaHost, functions: Iterable[str], address: str) -> None:
    """Nobody can make oneself an admin: an operator invokes a function by hand, and so does the demo."""
    name = next(name for name in functions if name.endswith(_GRANT_ROLE))
    answer = await host.invoke(name, json.dumps({"email": address, "role": "ADMIN"}).encode())
    if answer.error:
        raise CannotStart(f"the demo could not be loaded: {name} failed: {answer.payload.decode()[:300]}")


def what_to_try(url: str, state: State, postgres: Postgres) -> str:
    """What a developer reads when everything runs."""
    lines = ["", f"Box Office runs at {url}", f"Its console, with mails, orders and queues: {url}/_local/"]
    databases = f"postgresql://{SUPERUSER}@{postgres.host}:{postgres.port}"
    lines += [f"Its databases: {databases}/tickets, and likewise auth, events, payments, notifications"]
    lines += [f"Its feature flags: {state.folder / FLAGS_FILE}, to be edited while it runs"]
    lines += ["", "Try next:", f"  curl {url}/api/health", f"  curl '{url}/api/events?limit=3'"]
    if state.seeded.exists():
        people = json.loads(state.seeded.read_text())
        login = json.dumps({"email": people["attendee"]["email"], "password": PASSWORD})
        lines += [
            f"  TOKEN=$(curl -s {url}/api/auth/login -H 'Content-Type: application/json' \\",
            f"    -d '{login}' | sed 's/.*\"accessToken\":\"\\([^\"]*\\).*/\\1/')",
            f'  curl -H "Authorization: Bearer $TOKEN" {url}/api/auth/profile',
            "",
            "The demo's people (address / password):",
        ]
        lines += [f"  {role:<10} {person['email']} / {PASSWORD}" for role, person in people.items()]
    lines += ["", "Ctrl-C stops everything; the next `make run` goes on from there."]
    return "\n".join(lines)
