"""`/_control/…`: what a laptop needs and no provider has: faults, and a look at the deliveries."""

import json
from collections.abc import Callable

from aiohttp import web

from local.simulation import faults
from local.simulation.store import Store

_MOST = 100_000


class Control:
    """The part that simulators share; no authentication, since a process listens on the loopback interface only."""

    def __init__(self, store: Store, wake: Callable[[], None], target: str) -> None:
        self._store = store
        self._wake = wake
        self._target = target

    def routes(self) -> list[web.RouteDef]:
        """Its addresses."""
        return [
            web.get("/_control/health", self._health),
            web.get("/_control/webhooks", self._webhooks),
            web.get("/_control/faults", self._faults),
            web.put("/_control/faults", self._replace_faults),
            web.post("/_control/faults", self._add_faults),
            web.delete("/_control/faults", self._clear_faults),
        ]

    async def _health(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _webhooks(self, request: web.Request) -> web.Response:
        rows = self._store.rows(
            """SELECT d.event AS "eventId", o.type, d.attempts, d.delivered AS "deliveredAt",
                      d.due AS "nextAttemptAt", d.last_error AS "lastError"
               FROM deliveries d JOIN objects o ON o.id = d.event ORDER BY d.id DESC LIMIT :limit""",
            limit=limit_of(request),
        )
        return web.json_response({"items": rows})

    async def _faults(self, _: web.Request) -> web.Response:
        return web.json_response({"items": faults.planned(self._store, self._target)})

    async def _replace_faults(self, request: web.Request) -> web.Response:
        return await self._plan(request, in_place_of_all=True)

    async def _add_faults(self, request: web.Request) -> web.Response:
        return await self._plan(request, in_place_of_all=False)

    async def _plan(self, request: web.Request, *, in_place_of_all: bool) -> web.Response:
        entries = await json_of(request)
        try:
            with self._store.transaction():
                if in_place_of_all:
                    faults.clear(self._store)
                faults.add(self._store, entries, self._target)
        except faults.BadFault as refused:
            return problem(400, "VALIDATION_ERROR", str(refused))
        return web.json_response({"items": faults.planned(self._store, self._target)})

    async def _clear_faults(self, _: web.Request) -> web.Response:
        faults.clear(self._store)
        return web.Response(status=204)


async def json_of(request: web.Request) -> object:
    """The request's JSON; None if it has none."""
    try:
        return json.loads(await request.text() or "null")
    except ValueError:
        return None


def limit_of(request: web.Request) -> int:
    """How many items are wanted."""
    text = request.query.get("limit", "50")
    return max(1, min(int(text), _MOST)) if text.isdigit() else 50


def problem(status: int, code: str, message: str) -> web.Response:
    """A refusal in the shape of our own API's errors."""
    return web.json_response({"error": {"code": code, "message": message}}, status=status)
