"""The page at an approval URL, where a buyer approves or goes back: https://www.paypal.com/checkoutnow?token=…"""

from collections.abc import Callable
from html import escape
from urllib.parse import urlencode

from aiohttp import web

from local.paypal_simulator import fundings, orders
from local.paypal_simulator.calls import Call
from local.paypal_simulator.errors import Refusal
from local.simulation.json import Json
from local.simulation.store import Store

_PAGE = """<!doctype html>
<meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Simulated PayPal</title>
<style>body{{font:16px system-ui;max-width:26rem;margin:3rem auto;padding:0 1rem}}
select,button{{font:inherit;padding:.5rem .8rem;margin:.5rem .5rem .5rem 0}}</style>
<h1>Simulated PayPal</h1>
<p>{amount} for {invoice}</p>
<form method="post">
<input type="hidden" name="token" value="{token}">
<label>Pay with <select name="funding">{fundings}</select></label><br>
<button name="decision" value="approve">Approve</button>
<button name="decision" value="cancel">Cancel and return</button>
</form>
"""


class Checkout:
    """The buyer's side of the simulated PayPal."""

    def __init__(self, store: Store, base: str, wake: Callable[[], None]) -> None:
        self._store, self._base, self._wake = store, base, wake

    def routes(self) -> list[web.RouteDef]:
        """Its addresses."""
        return [web.get("/checkoutnow", self._show), web.post("/checkoutnow", self._decide)]

    async def _show(self, request: web.Request) -> web.Response:
        order = self._order(request.query.get("token", ""))
        unit = order["purchase_units"][0]
        options = "".join(
            f'<option value="{name}">{escape(funding.label)}</option>'
            for name, funding in fundings.offered(order).items()
        )
        page = _PAGE.format(
            amount=escape(f"{unit['amount']['value']} {unit['amount']['currency_code']}"),
            invoice=escape(unit.get("invoice_id", "an order")),
            token=escape(order["id"]),
            fundings=options,
        )
        return web.Response(text=page, content_type="text/html")

    async def _decide(self, request: web.Request) -> web.Response:
        form = await request.post()
        order = self._order(str(form.get("token", "")))
        context = order["_context"]
        funding = str(form.get("funding", "balance"))
        if form.get("decision") != "approve" or funding not in fundings.offered(order):
            raise web.HTTPSeeOther(_with(context["cancel_url"], token=order["id"]))
        with self._store.transaction():
            orders.approve(Call(self._store, self._base), order["id"], funding)
        self._wake()
        payer = fundings.PAYER["payer_id"]
        raise web.HTTPSeeOther(_with(context["return_url"], token=order["id"], PayerID=payer))

    def _order(self, token: str) -> Json:
        try:
            return orders.get(Call(self._store, self._base), token)
        except Refusal:
            raise web.HTTPNotFound(text="There is no such order.") from None


def _with(url: str, **more: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(more)}"
