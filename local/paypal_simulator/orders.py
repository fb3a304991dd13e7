"""Orders: made, approved by a buyer, captured once. https://developer.paypal.com/docs/api/orders/v2/"""

from decimal import Decimal, InvalidOperation

from local.paypal_simulator import errors, events, fundings
from local.paypal_simulator.calls import Call, new_id
from local.simulation.json import Json

# https://developer.paypal.com/api/rest/reference/currency-codes/, those with two decimals
CURRENCIES = frozenset(
    "AUD BRL CAD CNY CZK DKK EUR HKD ILS MYR MXN NZD NOK PHP PLN GBP SGD SEK CHF THB USD".split()
)
_OPEN = ("CREATED", "APPROVED")
_CHANGES = ("CAPTURE", "AUTHORIZE")


def create(call: Call, _: str, body: Json) -> Json:
    """POST /v2/checkout/orders.

    Raises:
        Refusal: an intent, amount or currency that PayPal (or this simulation) does not take.
    """
    units = body.get("purchase_units")
    if body.get("intent") != "CAPTURE" or "payment_source" in body:
        raise errors.invalid("/intent")
    if not isinstance(units, list) or len(units) != 1:
        raise errors.invalid("/purchase_units")
    unit = dict(units[0])
    _check_amount(unit.get("amount") or {})
    order: Json = {
        "id": new_id(),
        "intent": "CAPTURE",
        "status": "CREATED",
        "purchase_units": [{"reference_id": "default", **unit}],
        "create_time": call.stamp,
        "update_time": call.stamp,
        "_context": body.get("application_context") or {},
    }
    call.keep("order", order)
    return shown(call, order)


def retrieve(call: Call, identifier: str, _: Json) -> Json:
    """GET /v2/checkout/orders/{id}."""
    return shown(call, get(call, identifier))


def patch(call: Call, identifier: str, changes: list[Json]) -> None:
    """PATCH /v2/checkout/orders/{id}: of what can be patched there, the intent.

    Raises:
        Refusal: 422, the order is completed, or this cannot be patched.
    """
    order = get(call, identifier)
    if order["status"] not in _OPEN:
        raise errors.unprocessable("ORDER_ALREADY_COMPLETED")
    for change in changes:
        is_intent = (change.get("op"), change.get("path")) == ("replace", "/intent")
        if not is_intent or change.get("value") not in _CHANGES:
            raise errors.unprocessable("NOT_PATCHABLE")
        order["intent"] = change["value"]
    call.keep("order", order | {"update_time": call.stamp})


def approve(call: Call, identifier: str, funding: str) -> Json:
    """A buyer approves, with this way to pay; once more after it was declined, or after we gave the order up."""
    order = get(call, identifier)
    if order["status"] in _OPEN:
        order |= {"status": "APPROVED", "update_time": call.stamp, "payer": fundings.PAYER}
        order["_funding"] = funding
        call.keep("order", order)
        events.record(call, "CHECKOUT.ORDER.APPROVED", "checkout-order", shown(call, order))
    return order


def capture(call: Call, identifier: str, _: Json) -> Json:
    """POST /v2/checkout/orders/{id}/capture.

    Raises:
        Refusal: 422, not approved, captured already, or what the buyer chose is declined.
    """
    order = get(call, identifier)
    if order["status"] == "COMPLETED":
        raise errors.unprocessable("ORDER_ALREADY_CAPTURED")
    if order["intent"] != "CAPTURE":
        raise errors.unprocessable("ACTION_DOES_NOT_MATCH_INTENT")
    if order["status"] != "APPROVED":
        raise errors.unprocessable("ORDER_NOT_APPROVED")
    _check_invoice(call, order)
    funding = fundings.of(order)
    if funding.refusal == "INSTRUMENT_DECLINED":
        again = call.link(f"/checkoutnow?token={order['id']}", "redirect")
        raise errors.unprocessable("INSTRUMENT_DECLINED", again)
    if funding.refusal is not None:
        raise errors.unprocessable(funding.refusal)
    order |= {"status": "COMPLETED", "update_time": call.stamp}
    call.keep("order", order)
    fundings.take(call, order, funding)
    return shown(call, order)


def get(call: Call, identifier: str) -> Json:
    """The order.

    Raises:
        Refusal: 404, no such order.
    """
    order = call.store.get("order", identifier)
    if order is None:
        raise errors.not_found()
    return order


def shown(call: Call, order: Json) -> Json:
    """The order as PayPal shows it, with its payments and with links for what can be done next."""
    unit = dict(order["purchase_units"][0])
    payments = {f"{kind}s": fundings.belonging(call, kind, order["id"]) for kind in ("capture", "refund")}
    if any(payments.values()):
        unit["payments"] = {name: items for name, items in payments.items() if items}
    path = f"/v2/checkout/orders/{order['id']}"
    links = [call.link(path, "self")]
    if order["status"] == "CREATED":
        links.append(call.link(f"/checkoutnow?token={order['id']}", "approve"))
    if order["status"] in _OPEN:
        links += [call.link(path, "update", "PATCH"), call.link(f"{path}/capture", "capture", "POST")]
    public = {name: value for name, value in order.items() if not name.startswith("_")}
    return public | {"purchase_units": [unit], "links": links}


def _check_amount(amount: Json) -> None:
    try:
        value = Decimal(str(amount.get("value")))
    except InvalidOperation:
        raise errors.invalid("/purchase_units/@reference_id=='default'/amount/value") from None
    if value <= 0:
        raise errors.unprocessable("CANNOT_BE_ZERO_OR_NEGATIVE")
    if amount.get("currency_code") not in CURRENCIES:
        raise errors.unprocessable("CURRENCY_NOT_SUPPORTED")


def _check_invoice(call: Call, order: Json) -> None:
    """https://developer.paypal.com/api/rest/reference/orders/v2/errors/: one payment per invoice."""
    invoice = order["purchase_units"][0].get("invoice_id")
    taken = invoice and call.store.row(
        "SELECT id FROM objects WHERE object = 'capture' AND json_extract(body, '$.invoice_id') = :invoice"
        " AND json_extract(body, '$.status') NOT IN ('DECLINED', 'FAILED')",
        invoice=invoice,
    )
    if taken:
        raise errors.unprocessable("DUPLICATE_INVOICE_ID")
