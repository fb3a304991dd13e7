"""`/_control/…`: what a laptop needs and Stripe has not: the buyer's 3-D Secure step, faults, a look inside."""

import json
from collections.abc import Callable

from aiohttp import web

from local.stripe_simulator import attempts, faults
from local.stripe_simulator.calls import Call
from local.stripe_simulator.ids import Json
from local.stripe_simulator.store import Store

_OUTCOMES = {"succeed": True, "fail": False}
_MOST = 100_000


class Control:
    """The control API; no authentication, since the process listens on the loopback interface only."""

    def __init__(self, store: Store, wake: Callable[[], None]) -> None:
        self._store = store
        self._wake = wake

    def routes(self) -> list[web.RouteDef]:
        """Its addresses."""
        return [
            web.get("/_control/health", self._health),
            web.get("/_control/payment_intents", self._payment_intents),
            web.post("/_control/payment_intents/{id}/authenticate", self._authenticate),
            web.get("/_control/webhooks", self._webhooks),
            web.get("/_control/faults", self._faults),
            web.put("/_control/faults", self._replace_faults),
            web.delete("/_control/faults", self._clear_faults),
        ]

    async def _health(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _authenticate(self, request: web.Request) -> web.Response:
        body = await _json(request)
        outcome = body.get("outcome") if isinstance(body, dict) else None
        if not isinstance(outcome, str) or outcome not in _OUTCOMES:
            return _problem(400, "VALIDATION_ERROR", 'send {"outcome": "succeed"} or {"outcome": "fail"}')
        intent = self._store.get("payment_intent", request.match_info["id"])
        if intent is None:
            return _problem(404, "NOT_FOUND", f"no payment intent {request.match_info['id']}")
        try:
            with self._store.transaction():
                attempts.authenticate(Call(self._store), intent, _OUTCOMES[outcome])
        except attempts.NoActionDue as reason:
            return _problem(409, "NO_ACTION_DUE", str(reason))
        self._wake()
        return web.json_response(intent)

    async def _payment_intents(self, request: web.Request) -> web.Response:
        rows = self._store.rows(
            "SELECT body FROM objects WHERE object = 'payment_intent' ORDER BY sequence DESC LIMIT :limit",
            limit=_limit(request),
        )
        return web.json_response({"items": [self._summary(json.loads(row["body"])) for row in rows]})

    def _summary(self, intent: Json) -> Json:
        charge = self._store.get("charge", intent["latest_charge"] or "") or {}
        error = intent["last_payment_error"] or {}
        return {
            "id": intent["id"],
            "status": intent["status"],
            "amount": intent["amount"],
            "currency": intent["currency"],
            "orderId": intent["metadata"].get("order_id"),
            "lastError": error.get("decline_code") or error.get("code"),
            "amountRefunded": charge.get("amount_refunded", 0),
            "disputed": charge.get("disputed", False),
            "created": intent["created"],
        }

    async def _webhooks(self, request: web.Request) -> web.Response:
        rows = self._store.rows(
            """SELECT d.event AS "eventId", o.type, d.attempts, d.delivered AS "deliveredAt",
                      d.due AS "nextAttemptAt", d.last_error AS "lastError"
               FROM deliveries d JOIN objects o ON o.id = d.event ORDER BY d.id DESC LIMIT :limit""",
            limit=_limit(request),
        )
        return web.json_response({"items": rows})

    async def _faults(self, _: web.Request) -> web.Response:
        return web.json_response({"items": faults.planned(self._store)})

    async def _replace_faults(self, request: web.Request) -> web.Response:
        entries = await _json(request)
        try:
            with self._store.transaction():
                faults.replace(self._store, entries)
        except faults.BadFault as problem:
            return _problem(400, "VALIDATION_ERROR", str(problem))
        return web.json_response({"items": faults.planned(self._store)})

    async def _clear_faults(self, _: web.Request) -> web.Response:
        faults.clear(self._store)
        return web.Response(status=204)


async def _json(request: web.Request) -> object:
    try:
        return json.loads(await request.text() or "null")
    except ValueError:
        return None


def _limit(request: web.Request) -> int:
    text = request.query.get("limit", "50")
    return max(1, min(int(text), _MOST)) if text.isdigit() else 50


def _problem(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"error": {"code": code, "message": message}}, status=status)
