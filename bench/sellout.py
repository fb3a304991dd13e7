"""An on-sale: many buyers empty one ticket type through the whole system. `python -m bench.sellout URL`.

Everybody reserves one ticket at a time and buys it, until all are gone. Printed: what was sold (it must be exactly
what there was), how long each step took, and the CPU time that the system's processes spent per order. Times depend
on the machine; the number sold does not.
"""

import argparse
import asyncio
import re
import statistics
import time
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import aiohttp
import psutil

PASSWORD = "Correct-Horse-7"
FINAL = ("PAID", "PAYMENT_FAILED", "CANCELLED")


class Person:
    """One person at the API."""

    def __init__(self, web: aiohttp.ClientSession, times: dict[str, list[float]]) -> None:
        self._web, self._times = web, times
        self._headers: dict[str, str] = {}

    async def call(self, method: str, path: str, body: object = None, *, step: str = "") -> tuple[int, Any]:
        """Send a request; 429 and 503 are waited for, as `Retry-After` says, and count in the step's time."""
        started = time.monotonic()
        headers = {**self._headers, "Idempotency-Key": str(uuid4())}
        while True:
            async with self._web.request(method, path, json=body, headers=headers) as answer:
                content = await answer.json() if answer.status != 204 else None
                if answer.status not in (429, 503):
                    break
                await asyncio.sleep(float(answer.headers.get("Retry-After", "1")))
        if step:
            self._times[step].append(time.monotonic() - started)
        return answer.status, content

    async def arrive(self, role: str) -> "Person":
        """Register, follow the link in the mail, sign in."""
        email = f"bench-{uuid4().hex[:12]}@example.com"
        person = {
            "email": email,
            "password": PASSWORD,
            "firstName": "B",
            "lastName": "B",
            "accountType": role,
        }
        await self.call("POST", "/api/auth/register", {**person, "dateOfBirth": "1990-01-01"})
        while True:
            _, mails = await self.call("GET", f"/_local/emails?to={email}")
            if mails and (found := re.search(r"token=([\w.~-]+)", mails[0]["text"])):
                break
            await asyncio.sleep(0.2)
        await self.call("POST", "/api/auth/verify-email", {"token": found[1]})
        _, signed_in = await self.call("POST", "/api/auth/login", {"email": email, "password": PASSWORD})
        self._headers = {"Authorization": f"Bearer {signed_in['accessToken']}"}
        return self

    async def publish(self, tickets: int) -> tuple[str, str]:
        """An event with so many tickets; its id and the type's."""
        when = (datetime.now(UTC) + timedelta(days=9)).isoformat(timespec="seconds")
        event = {
            "name": "On-sale",
            "eventDate": when,
            "timeZone": "UTC",
            "venueName": "V",
            "venueAddress": "A",
        }
        _, made = await self.call("POST", "/api/events", event)
        kind = {"eventId": made["id"], "name": "T", "price": "20.00", "quantityAvailable": tickets}
        _, type_ = await self.call("POST", "/api/tickets/types", {**kind, "perPersonLimit": 100})
        await self.call("POST", f"/api/events/{made['id']}/publish")
        return made["id"], type_["id"]

    async def buy_until_sold_out(self, event_id: str, type_id: str) -> int:
        """Reserve and buy one ticket after the other; the number bought."""
        bought = 0
        items = [{"ticketTypeId": type_id, "quantity": 1}]
        while True:
            status, held = await self.call(
                "POST", "/api/tickets/reserve", {"eventId": event_id, "items": items}, step="reserve"
            )
            if status != 201:
                return bought
            method = {"type": "stripe", "token": "pm_card_visa"}
            body = {"reservationId": held["reservationId"], "paymentMethod": method}
            _, accepted = await self.call("POST", "/api/tickets/purchase", body, step="purchase")
            bought += await self._wait(accepted["orderId"])

    async def _wait(self, order_id: str) -> bool:
        started = time.monotonic()
        while True:
            _, order = await self.call("GET", f"/api/payments/orders/{order_id}", step="order")
            if order["paymentStatus"] in FINAL:
                self._times["until the tickets are there"].append(time.monotonic() - started)
                return bool(order["paymentStatus"] == "PAID")
            await asyncio.sleep(0.25)


async def sell_out(url: str, buyers: int, tickets: int) -> None:
    """One on-sale; prints what came of it."""
    times: dict[str, list[float]] = defaultdict(list)
    timeout = aiohttp.ClientTimeout(total=120)
    async with aiohttp.ClientSession(url, timeout=timeout, connector=aiohttp.TCPConnector(limit=0)) as web:
        event_id, type_id = await (await Person(web, times).arrive("ORGANIZER")).publish(tickets)
        print(f"{buyers} buyers arrive", flush=True)
        crowd = await asyncio.gather(*(Person(web, times).arrive("ATTENDEE") for _ in range(buyers)))
        times.clear()
        before, started = _cpu_seconds(url), time.monotonic()
        bought = await asyncio.gather(*(person.buy_until_sold_out(event_id, type_id) for person in crowd))
        took, spent = time.monotonic() - started, _cpu(before, _cpu_seconds(url))
        _, left = await Person(web, times).call("GET", f"/api/tickets/availability/{event_id}")
    print(f"sold {sum(bought)} of {tickets}, {left['ticketTypes'][0]['available']} left, in {took:.1f} s")
    for step, seconds in times.items():
        print(_line(step, seconds))
    for name, cpu in sorted(spent.items(), key=lambda item: -item[1]):
        print(f"  CPU of {name:<16} {1000 * cpu / max(sum(bought), 1):7.1f} ms an order")


def _line(step: str, seconds: list[float]) -> str:
    ordered = sorted(seconds)
    p99 = ordered[int(0.99 * (len(ordered) - 1))]
    return f"  {step:<28} p50 {statistics.median(ordered):6.3f} s   p99 {p99:6.3f} s   ({len(ordered)})"


def _cpu_seconds(url: str) -> dict[int, tuple[str, float]]:
    """CPU seconds so far of every process of the system that listens at `url`, by process id."""
    port = int(url.rsplit(":", 1)[1])
    connections = psutil.net_connections("tcp")
    owner = next(c.pid for c in connections if c.status == psutil.CONN_LISTEN and c.laddr.port == port)
    launcher = psutil.Process(owner)
    found: dict[int, tuple[str, float]] = {}
    for process in [launcher, *launcher.children(recursive=True)]:
        try:
            used = process.cpu_times()
            found[process.pid] = (_kind(process, launcher), used.user + used.system)
        except psutil.NoSuchProcess:
            continue
    return found


def _kind(process: psutil.Process, launcher: psutil.Process) -> str:
    line = " ".join(process.cmdline())
    kinds = {
        "postgres": "PostgreSQL",
        "valkey": "Valkey",
        "local.aws": "AWS emulation",
        "stripe_simulator": "simulated Stripe",
    }
    if process == launcher:
        return "HTTP and hosting"
    return next((kind for part, kind in kinds.items() if part in line), "functions")


def _cpu(before: Mapping[int, tuple[str, float]], after: Mapping[int, tuple[str, float]]) -> dict[str, float]:
    spent: dict[str, float] = defaultdict(float)
    for pid, (kind, seconds) in after.items():
        spent[kind] += seconds - before.get(pid, ("", 0.0))[1]
    return spent


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("url", help="where `make run` listens, e.g. http://127.0.0.1:8080")
    parser.add_argument("--buyers", type=int, default=50)
    parser.add_argument("--tickets", type=int, default=500)
    chosen = parser.parse_args()
    asyncio.run(sell_out(chosen.url, chosen.buyers, chosen.tickets))
