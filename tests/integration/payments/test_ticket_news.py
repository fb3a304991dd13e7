"""News of tickets that come in another order than they happened in: what the order shows is the newest there is."""

from typing import Any
from uuid import uuid4

import pytest

from functions.payments.consumers import tickets
from tests.payments_shop import Shop
from tests.support import a_user


@pytest.fixture
def order_id(shop: Shop) -> str:
    """A paid order of which tickets has told nothing yet."""
    return shop.order_of(a_user())


@pytest.fixture
def issued() -> list[dict[str, Any]]:
    """Its two tickets."""
    return [
        {"ticketId": str(uuid4()), "ticketNumber": f"T-{n}", "ticketTypeId": str(uuid4())} for n in (1, 2)
    ]


def test_a_ticket_void_once_more_stays_void_when_it_was_valid_in_between(
    shop: Shop, order_id: str, issued: list[dict[str, Any]]
) -> None:
    both = [ticket["ticketId"] for ticket in issued]
    _told(shop, order_id, 2, "order_issued", orderNumber="BO-1", tickets=issued)
    _told(shop, order_id, 3, "tickets_voided", ticketIds=both, reason="DISPUTED")
    _told(shop, order_id, 5, "tickets_voided", ticketIds=both[:1], reason="REFUNDED")
    _told(shop, order_id, 4, "order_issued", orderNumber="BO-1", tickets=issued)

    assert _shown(shop, order_id) == ["VOID", "ACTIVE"]


def test_tickets_of_before_a_second_release_are_void(
    shop: Shop, order_id: str, issued: list[dict[str, Any]]
) -> None:
    _told(shop, order_id, 2, "order_released")
    _told(shop, order_id, 4, "order_released")
    _told(shop, order_id, 3, "order_issued", orderNumber="BO-1", tickets=issued)

    assert "ACTIVE" not in _shown(shop, order_id)


def _shown(shop: Shop, order_id: str) -> list[str]:
    return [ticket["status"] for ticket in shop.order(order_id)["tickets"]]


def _told(shop: Shop, order_id: str, version: int, news: str, **data: Any) -> None:
    """Tell what the tickets service did in this version of the purchase."""
    person = {"orderId": order_id, "userId": str(uuid4()), "eventId": str(shop.event_id)}
    shop.hear(tickets, f"tickets.{news}.v1", person | data, version=version)
