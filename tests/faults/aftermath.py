"""Stories that go on at the payment provider when a purchase is over: disputes, the dashboard, late money."""

from functools import partial
from typing import Any

import urllib3

from tests.e2e.client import eventually
from tests.faults import servers
from tests.faults.scenarios import PATIENCE_SECONDS, World, call_off
from tests.faults.storm.dashboard import Dashboard


def won(world: World) -> None:
    """A buyer's bank takes the money back, and then decides that it is ours: the tickets are valid again."""
    order = world.becomes(world.buy(world.show(), "pm_card_createDispute"), "DISPUTED")
    if world.is_over(order, "DISPUTED"):
        return
    eventually(partial(_dashboard(world).decide, _payment(world, order), "win"), PATIENCE_SECONDS)
    won = world.becomes(order["orderId"], "PAID")
    if not world.is_over(won, "PAID"):
        # News of its tickets come in any order: it may be paid by older ones, and those in between still to come.
        eventually(partial(_is_valid, world, order["orderId"]), PATIENCE_SECONDS)


def lost(world: World) -> None:
    """The bank decides for the buyer."""
    order = world.becomes(world.buy(world.show(), "pm_card_createDispute"), "DISPUTED")
    if world.is_over(order, "DISPUTED"):
        return
    eventually(partial(_dashboard(world).decide, _payment(world, order), "lose"), PATIENCE_SECONDS)
    world.becomes(order["orderId"], "REFUNDED")


def given_back_elsewhere(world: World) -> None:
    """Our staff give the money back in the provider's dashboard."""
    order = world.becomes(world.buy(world.show()), "PAID")
    if world.is_over(order, "PAID"):
        return
    _dashboard(world).refund(_payment(world, order), 4950)
    world.becomes(order["orderId"], "REFUNDED")


def paid_too_late(world: World) -> None:
    """PayPal reviews a payment for so long that its event is called off meanwhile; then it has the money."""
    show = world.show()
    order = world.becomes(world.buy(show, None), "REQUIRES_ACTION")
    if world.is_over(order, "REQUIRES_ACTION"):
        return
    payment = order["approvalUrl"].split("token=")[1].split("&")[0]
    step = {"outcome": "succeed", "funding": "review"}
    world.buyer.post(f"/_local/payments/{payment}/authenticate", step).expect(200)
    eventually(partial(_is_reviewed, world, payment), PATIENCE_SECONDS)
    call_off(world, show)
    world.becomes(order["orderId"], "CANCELLED")
    assert _paypal(world, "POST", f"orders/{payment}/review", {"outcome": "succeed"}).status == 200
    world.becomes(order["orderId"], "REFUNDED")


def _is_valid(world: World, order_id: str) -> bool:
    shown = world.buyer.get(f"/api/payments/orders/{order_id}")
    return shown.status == 200 and {ticket["status"] for ticket in shown.body["tickets"]} == {"ACTIVE"}


def _dashboard(world: World) -> Dashboard:
    return Dashboard(world.ground.laptop)


def _payment(world: World, order: dict[str, Any]) -> str:
    statement = f"SELECT payment_gateway_transaction_id AS id FROM orders WHERE id = '{order['orderId']}'"
    return str(world.ground.ask("payments", statement)[0]["id"])


def _is_reviewed(world: World, payment: str) -> bool:
    items = _paypal(world, "GET", "orders?limit=1000").json()["items"]
    return any(item["id"] == payment and item["capture"] == "PENDING" for item in items)


def _paypal(world: World, method: str, path: str, body: Any = None) -> Any:
    url = f"http://127.0.0.1:{servers.port_of(world.ground.laptop, 'paypal')}/_control/{path}"
    return urllib3.request(method, url, json=body, timeout=10)
