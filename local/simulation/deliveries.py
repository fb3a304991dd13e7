"""Delivery of webhooks: signed, at least once, again and again until the endpoint says 2xx.

Stripe retries for three days with exponential back-off (https://docs.stripe.com/webhooks#retries), PayPal up to 25
times over three days (https://developer.paypal.com/api/rest/webhooks/).
"""

import asyncio
import functools
import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from local.simulation.json import Json
from local.simulation.store import Store

log = logging.getLogger("simulation")

GIVE_UP_SECONDS = 3 * 24 * 3600
LONGEST_PAUSE_SECONDS = 3600
_ANSWER_WITHIN_SECONDS = 20
_AT_ONCE = 8
_IDLE_SECONDS = 60.0


def pause(attempts: int) -> int:
    """Seconds from the given number of failed attempts to the next: 1, 2, 4, … an hour.
    Providers start slower; on a laptop the endpoint is back within seconds.
    """
    return int(min(2.0 ** min(attempts - 1, 20), LONGEST_PAUSE_SECONDS))


@dataclass(frozen=True)
class Manners:
    """How a provider delivers, and what it does by itself.

    Attributes:
        sign: the headers that go with these bytes.
        run_due: carries out what the provider does by itself and is due; `next_due` says when the next is.
    """

    sign: Callable[[bytes], Mapping[str, str]]
    run_due: Callable[[Any], None]
    next_due: Callable[[Any], float | None]


class Webhooks:
    """Sends what is due, and carries out what the provider does by itself."""

    def __init__(self, store: Store, url: str, manners: Manners) -> None:
        self._store = store
        self._url = url
        self._manners = manners
        self._woken = asyncio.Event()
        self._sending: dict[int, asyncio.Task[None]] = {}

    def wake(self) -> None:
        """Look for due deliveries now."""
        self._woken.set()

    async def run(self) -> None:
        """Until cancelled."""
        timeout = aiohttp.ClientTimeout(total=_ANSWER_WITHIN_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            try:
                while True:
                    self._woken.clear()
                    self._manners.run_due(self._store)
                    self._start_due(session)
                    await self._sleep()
            finally:
                for task in self._sending.values():
                    task.cancel()

    def _start_due(self, session: aiohttp.ClientSession) -> None:
        due = self._store.rows(
            """SELECT id, event, attempts, created FROM deliveries
               WHERE due <= :now ORDER BY due, id LIMIT :limit""",
            now=time.time(),
            limit=_AT_ONCE * 2,
        )
        for row in due:
            if row["id"] not in self._sending and len(self._sending) < _AT_ONCE:
                task = asyncio.create_task(self._send(session, row))
                self._sending[row["id"]] = task
                task.add_done_callback(functools.partial(self._sent, row["id"]))

    def _sent(self, delivery: int, _: asyncio.Task[None]) -> None:
        self._sending.pop(delivery, None)
        self._woken.set()

    async def _sleep(self) -> None:
        """Until the next delivery or follow-up is due, or something happens."""
        row = self._store.row("SELECT min(due) AS due FROM deliveries")
        due = [
            at for at in (row["due"] if row else None, self._manners.next_due(self._store)) if at is not None
        ]
        seconds = min(max(min(due) - time.time(), 0.0), _IDLE_SECONDS) if due else _IDLE_SECONDS
        if self._sending:
            # What is being sent is due too; its end wakes us.
            seconds = max(seconds, 0.25)
        try:
            await asyncio.wait_for(self._woken.wait(), timeout=seconds)
        except TimeoutError:
            return

    async def _send(self, session: aiohttp.ClientSession, row: dict[str, Any]) -> None:
        event: Json | None = self._store.get("event", row["event"])
        payload = json.dumps(event, indent=2).encode()
        try:
            async with session.post(
                self._url, data=payload, allow_redirects=False, headers=self._manners.sign(payload)
            ) as response:
                await response.read()
                problem = None if 200 <= response.status < 300 else f"HTTP {response.status}"
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            problem = f"{type(error).__name__}: {error}"
        self._record(row, problem)

    def _record(self, row: dict[str, Any], problem: str | None) -> None:
        now, attempts = time.time(), row["attempts"] + 1
        again = problem is not None and now - row["created"] < GIVE_UP_SECONDS
        self._store.run(
            """UPDATE deliveries SET attempts = :attempts, due = :due, delivered = :delivered, last_error = :problem
               WHERE id = :id""",
            id=row["id"],
            attempts=attempts,
            due=now + pause(attempts) if again else None,
            delivered=None if problem else now,
            problem=problem,
        )
        if problem and not again:
            log.warning("gave up on event %s after %d attempts: %s", row["event"], attempts, problem)
