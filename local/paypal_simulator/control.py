"""`/_control/…` of the simulated PayPal: the buyer's step, PayPal's reviews, a look at the orders."""

import json
from decimal import Decimal

from aiohttp import web

from local.paypal_simulator import disputes, fundings, orders, payments
from local.paypal_simulator.calls import Call
from local.paypal_simulator.errors import Refusal
from local.simulation import control
from local.simulation.control import json_of, limit_of, problem
from local.simulation.json import Json

_OUTCOMES = ("succeed", "fail")
_VERDICTS = ("escalate", "win", "lose")


class Control(control.Control):
    """The control API of the simulated PayPal."""

    def routes(self) -> list[web.RouteDef]:
        """Its addresses."""
        return [
            *super().routes(),
            web.get("/_control/orders", self._orders),
            web.post("/_control/orders/{id}/authenticate", self._authenticate),
            web.post("/_control/orders/{id}/review", self._review),
            web.post("/_control/disputes/{capture}", self._dispute),
        ]

    async def _authenticate(self, request: web.Request) -> web.Response:
        """The buyer approves, or goes back without: then nothing has happened, as far as PayPal is concerned."""
        body = await json_of(request)
        given = body if isinstance(body, dict) else {}
        funding = given.get("funding", "balance")
        if given.get("outcome") not in _OUTCOMES or funding not in fundings.FUNDINGS:
            return problem(400, "VALIDATION_ERROR", 'send {"outcome": "succeed"} or {"outcome": "fail"}')
        call = Call(self._store, _base(request))
        try:
            order = orders.get(call, request.match_info["id"])
        except Refusal:
            return problem(404, "NOT_FOUND", f"no order {request.match_info['id']}")
        if order["status"] == "COMPLETED":
            return problem(409, "NO_ACTION_DUE", "the order is completed: there is nothing to approve")
        if given["outcome"] == "succeed" and funding not in fundings.offered(order):
            return problem(409, "NO_ACTION_DUE", "the order cannot be paid that way")
        if given["outcome"] == "succeed":
            with self._store.transaction():
                order = orders.approve(call, order["id"], funding)
            self._wake()
        return web.json_response(orders.shown(call, order))

    async def _review(self, request: web.Request) -> web.Response:
        body = await json_of(request)
        accepted = isinstance(body, dict) and body.get("outcome") == "succeed"
        with self._store.transaction():
            capture = fundings.review(
                Call(self._store, _base(request)), request.match_info["id"], is_accepted=accepted
            )
        self._wake()
        return (
            problem(409, "NO_ACTION_DUE", "nothing is under review")
            if capture is None
            else web.json_response(capture)
        )

    async def _dispute(self, request: web.Request) -> web.Response:
        """What becomes of a capture's dispute: `escalate` (by the buyer), or PayPal's decision, `win` or `lose`."""
        body = await json_of(request)
        outcome = body.get("outcome") if isinstance(body, dict) else None
        call = Call(self._store, _base(request))
        found = disputes.of_capture(call, request.match_info["capture"])
        if outcome not in _VERDICTS or not found or found[0]["status"] == "RESOLVED":
            return problem(409, "NO_ACTION_DUE", "nothing is disputed, or it is none of escalate, win, lose")
        with self._store.transaction():
            if outcome == "escalate":
                disputes.escalate(call, found[0])
            else:
                disputes.resolve(call, found[0], for_seller=outcome == "win")
        self._wake()
        return web.json_response(disputes.retrieve(call, found[0]["id"], {}))

    async def _orders(self, request: web.Request) -> web.Response:
        rows = self._store.rows(
            "SELECT body, created FROM objects WHERE object = 'order' ORDER BY sequence DESC LIMIT :limit",
            limit=limit_of(request),
        )
        call = Call(self._store, _base(request))
        return web.json_response(
            {"items": [_summary(call, json.loads(row["body"]), row["created"]) for row in rows]}
        )


def _summary(call: Call, order: Json, created: int) -> Json:
    """As the simulated Stripe tells of its payment intents, so that the console shows both alike."""
    unit = order["purchase_units"][0]
    captures = fundings.belonging(call, "capture", order["id"])
    return {
        "id": order["id"],
        "status": order["status"] if order["intent"] == "CAPTURE" else "CANCELLED",
        "capture": captures[-1]["status"] if captures else None,
        "amount": _minor(unit["amount"]["value"]),
        "currency": unit["amount"]["currency_code"].lower(),
        "orderId": unit.get("custom_id"),
        "lastError": None,
        "amountRefunded": _minor(str(payments.given_back(call, order["id"]))),
        "amountLost": _minor(str(disputes.lost(call, captures))),
        "disputed": any(disputes.of_capture(call, capture["id"]) for capture in captures),
        "created": created,
    }


def _minor(value: str) -> int:
    return int(Decimal(value) * 100)


def _base(request: web.Request) -> str:
    return f"http://{request.host}"
