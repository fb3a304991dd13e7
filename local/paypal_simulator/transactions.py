"""Transaction Search: https://developer.paypal.com/docs/api/transaction-search/v1/. Of it, payments that were received.

PayPal takes up to three hours to list a transaction; here it is listed at once.
"""

import json
from datetime import UTC, datetime, timedelta

from local.paypal_simulator import errors
from local.paypal_simulator.calls import Call
from local.simulation.json import Json

RECEIVED = "T0006"  # a payment through PayPal Checkout
_LONGEST = timedelta(days=31)
_TAKEN = ("COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED")


def search(call: Call, _: str, query: Json) -> Json:
    """GET /v1/reporting/transactions?start_date=&end_date=.

    Raises:
        Refusal: 400, a date is missing or wrong, more than 31 days, or a page that cannot be.
    """
    start, end = _instant(query, "start_date"), _instant(query, "end_date")
    if end < start or end - start > _LONGEST:
        raise errors.invalid("/end_date")
    page, size = _number(query, "page", 1), _number(query, "page_size", 100)
    if size > 500:
        raise errors.invalid("/page_size")
    found = [] if query.get("transaction_type", RECEIVED) != RECEIVED else _received(call, start, end)
    return {
        "transaction_details": [
            {"transaction_info": info} for info in found[(page - 1) * size : page * size]
        ],
        "start_date": query["start_date"],
        "end_date": query["end_date"],
        "last_refreshed_datetime": call.stamp,
        "page": page,
        "total_items": len(found),
        "total_pages": -(-len(found) // size),
        "links": [],
    }


def _received(call: Call, start: datetime, end: datetime) -> list[Json]:
    rows = call.store.rows(
        """SELECT body FROM objects WHERE object = 'capture' AND created BETWEEN :start AND :end ORDER BY sequence""",
        start=int(start.timestamp()),
        end=int(end.timestamp()),
    )
    captures = [json.loads(row["body"]) for row in rows]
    return [_info(capture) for capture in captures if capture["status"] in _TAKEN]


def _info(capture: Json) -> Json:
    info = {
        "transaction_id": capture["id"],
        "transaction_event_code": RECEIVED,
        "transaction_initiation_date": capture["create_time"].replace("Z", "+0000"),
        "transaction_updated_date": capture["update_time"].replace("Z", "+0000"),
        "transaction_amount": capture["amount"],
        "transaction_status": "S",
    }
    if "custom_id" in capture:
        info["custom_field"] = capture["custom_id"]
    if "invoice_id" in capture:
        info["invoice_id"] = capture["invoice_id"]
    return info


def _instant(query: Json, name: str) -> datetime:
    try:
        return datetime.fromisoformat(str(query[name])).astimezone(UTC)
    except (KeyError, ValueError):
        raise errors.invalid(f"/{name}") from None


def _number(query: Json, name: str, default: int) -> int:
    text = str(query.get(name, default))
    if not text.isdecimal() or int(text) < 1:
        raise errors.invalid(f"/{name}")
    return int(text)
