"""What each of our own mails is given, by example: templates are tried with it before they are taken."""

from typing import Any

_ANY_MAIL: dict[str, Any] = {
    "publicUrl": "https://www.box-office.example",
    "orderId": "4f0c8b7e-3a52-4c65-9d0e-6f1f2a7c9b11",
    "firstName": "Ada",
}
_EVENT: dict[str, Any] = {
    "orderNumber": "BO-7Q4M2K",
    "eventName": "Winter Concert",
    "eventDate": "2030-12-14T18:30:00.000Z",
    "timeZone": "Europe/Berlin",
    "venueName": "Old Town Hall",
    "venueAddress": "1 Market Square, 10115 Berlin",
}
_TICKET: dict[str, Any] = {
    "ticketNumber": "T-3HX9-QK2P",
    "ticketType": "Stalls",
    "zone": "Row A",
    "holderName": "Ada Lovelace",
    "qrCode": "BO1.sample.AAAA.AAAA",
}

_OF_MAIL: dict[str, dict[str, Any]] = {
    "verify-email": {"token": "a-token"},
    "reset-password": {"token": "a-token"},
    "export-ready": {"token": "a-token", "until": "2030-11-09T18:45:00.000Z"},
    "account-erased": {"email": "ada@example.com"},
    "order-confirmation": {
        **_EVENT,
        "totalAmount": "99.00",
        "currency": "USD",
        "tickets": [_TICKET, _TICKET],
    },
    "order-cancelled": _EVENT,
    "event-cancelled": {
        **_EVENT,
        "reason": "The roof of the hall leaks.",
        "isFree": False,
        "totalAmount": "99.00",
        "currency": "USD",
    },
    "ticket": {**_EVENT, "tickets": [_TICKET]},
    "payment-failed": {
        "orderNumber": "BO-7Q4M2K",
        "message": "Your card was declined.",
        "payBy": "2030-11-02T18:45:00.000Z",
    },
    "order-refunded": {
        "orderNumber": "BO-7Q4M2K",
        "amount": "49.50",
        "currency": "USD",
        "fully": False,
        "ticketCount": 1,
    },
}

BUILT_IN = tuple(_OF_MAIL)


def is_built_in(name: str) -> bool:
    """Whether we send this mail ourselves, and so know exactly what it is given."""
    return name in _OF_MAIL


def sample(name: str) -> dict[str, Any]:
    """Example data for the template `name`: what our own mail of that name gets, or else all that any of ours gets."""
    if name in _OF_MAIL:
        return _ANY_MAIL | _OF_MAIL[name]
    everything = dict(_ANY_MAIL)
    for data in _OF_MAIL.values():
        everything |= data
    return everything
