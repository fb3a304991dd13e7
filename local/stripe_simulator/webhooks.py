"""Delivery of events: signed, at least once, again and again until the endpoint says 2xx.

https://docs.stripe.com/webhooks#retries (three days of retries with exponential back-off) and
https://docs.stripe.com/webhooks#verify-manually (the signature).
"""

import asyncio
import functools
import hashlib
import hmac
import json
import logging
import time
from typing import Any

import aiohttp

from local.stripe_simulator import followups
from local.stripe_simulator.events import API_VERSION
from local.stripe_simulator.store import Store

log = logging.getLogger("stripe-simulator")

GIVE_UP_SECONDS = 3 * 24 * 3600
LONGEST_PAUSE_SECONDS = 3600
_ANSWER_WITHIN_SECONDS = 20
_AT_ONCE = 8
_IDLE_SECONDS = 60.0


def signature(payload: bytes, secret: str, timestamp: int) -> str:
    """The `Stripe-Signature` header: HMAC-SHA256 over `timestamp.payload`."""
    digest = hmac.new(secret.encode(), b"%d.%s" % (timestamp, payload), hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


def pause(attempts: int) -> int:
    """Seconds from the given number of failed attempts to the next: 1, 2, 4, … an hour.
    Stripe starts slower; on a laptop the endpoint is back within seconds.
    """
    return int(min(2.0 ** min(attempts - 1, 20), LONGEST_PAUSE_SECONDS))


class Webhooks:
    """Sends what is due, and carries out what the gateway does by itself."""

    def __init__(self, store: Store, url: str, secret: str) -> None:
        self._store = store
        self._url = url
        self._secret = secret
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
                    followups.run_due(self._store)
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
        due = [at for at in (row["due"] if row else None, followups.next_due(self._store)) if at is not None]
        seconds = min(max(min(due) - time.time(), 0.0), _IDLE_SECONDS) if due else _IDLE_SECONDS
        if self._sending:
            # What is being sent is due too; its end wakes us.
            seconds = max(seconds, 0.25)
        try:
            await asyncio.wait_for(self._woken.wait(), timeout=seconds)
        except TimeoutError:
            return

    async def _send(self, session: aiohttp.ClientSession, row: dict[str, Any]) -> None:
        event = self._store.get("event", row["event"])
        payload = json.dumps(event, indent=2).encode()
        try:
            async with session.post(
                self._url,
                data=payload,
                allow_redirects=False,
                headers={
                    "Content-Type": "application/json; charset=utf-8",
                    "Stripe-Signature": signature(payload, self._secret, int(time.time())),
                    "User-Agent": f"Stripe/1.0 (simulated; {API_VERSION})",
                },
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
