"""`/_control/…`: what a laptop needs and Stripe has not: the buyer's 3-D Secure step, faults, a look inside."""

import json
from collections.abc import Callable

from aiohttp import web

from local.simulation import control
from local.simulation.control import json_of, limit_of, problem
from local.stripe_simulator import attempts, disputes
from local.stripe_simulator.calls import Call
from local.stripe_simulator.ids import Json
from local.stripe_simulator.store import Store

_OUTCOMES = {"succeed": True, "fail": False}


class Control(control.Control):
    """The control API of the simulated Stripe."""

    _store: Store

    def __init__(self, store: Store, wake: Callable[[], None], target: str) -> None:
        super().__init__(store, wake, target)
        self._store = store

    def routes(self) -> list[web.RouteDef]:
        """Its addresses."""
        return [
            *super().routes(),
            web.get("/_control/payment_intents", self._payment_intents),
            web.post("/_control/payment_intents/{id}/authenticate", self._authenticate),
        ]

    async def _authenticate(self, request: web.Request) -> web.Response:
        body = await json_of(request)
        outcome = body.get("outcome") if isinstance(body, dict) else None
        if not isinstance(outcome, str) or outcome not in _OUTCOMES:
            return problem(400, "VALIDATION_ERROR", 'send {"outcome": "succeed"} or {"outcome": "fail"}')
        intent = self._store.get("payment_intent", request.match_info["id"])
        if intent is None:
            return problem(404, "NOT_FOUND", f"no payment intent {request.match_info['id']}")
        try:
            with self._store.transaction():
                attempts.authenticate(Call(self._store), intent, _OUTCOMES[outcome])
        except attempts.NoActionDue as reason:
            return problem(409, "NO_ACTION_DUE", str(reason))
        self._wake()
        return web.json_response(intent)

    async def _payment_intents(self, request: web.Request) -> web.Response:
        rows = self._store.rows(
            "SELECT body FROM objects WHERE object = 'payment_intent' ORDER BY sequence DESC LIMIT :limit",
            limit=limit_of(request),
        )
        return web.json_response({"items": [self._summary(json.loads(row["body"])) for row in rows]})

    def _summary(self, intent: Json) -> Json:
        charge = self._store.get("charge", intent["latest_charge"] or "") or {}
        dispute = disputes.of_charge(Call(self._store), charge) if charge else None
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
            "amountLost": dispute["amount"] if dispute and dispute["status"] == "lost" else 0,
            "created": intent["created"],
        }
