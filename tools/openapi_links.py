"""What of an answer the next operation takes: the `links` of the OpenAPI document (and of stateful tests)."""

from typing import Any

Json = dict[str, Any]

_BODY = "$response.body#/"

# operation → the operations that go on from its answer: their parameters, and fields of their bodies.
LINKS: dict[str, dict[str, tuple[Json, Json]]] = {
    "login": {
        "refresh": ({}, {"refreshToken": "refreshToken"}),
        "list_orders": ({"userId": "user/userId"}, {}),
    },
    "refresh": {"refresh": ({}, {"refreshToken": "refreshToken"})},
    "list_events": {
        "get_event": ({"id": "items/0/id"}, {}),
        "availability": ({"eventId": "items/0/id"}, {}),
    },
    "search_events": {
        "get_event": ({"id": "items/0/id"}, {}),
        "availability": ({"eventId": "items/0/id"}, {}),
    },
    "create_event": {
        "my_event": ({"id": "id"}, {}),
        "update_event": ({"id": "id", "If-Match": "version"}, {}),
        "delete_event": ({"id": "id"}, {}),
        "create_ticket_type": ({}, {"eventId": "id"}),
        "publish_event": ({"id": "id"}, {}),
        "upload_image": ({"id": "id"}, {}),
    },
    "create_ticket_type": {
        "list_ticket_types": ({"eventId": "eventId"}, {}),
        "update_ticket_type": ({"ticketTypeId": "id"}, {}),
        "delete_ticket_type": ({"ticketTypeId": "id"}, {}),
        "publish_event": ({"id": "eventId"}, {}),
    },
    "publish_event": {
        "get_event": ({"id": "id"}, {}),
        "availability": ({"eventId": "id"}, {}),
        "cancel_event": ({"id": "id"}, {}),
        "list_event_orders": ({"eventId": "id"}, {}),
        "event_sales": ({"id": "id"}, {}),
    },
    "availability": {
        "reserve": (
            {},
            {"eventId": "eventId", "items": [{"ticketTypeId": f"{_BODY}ticketTypes/0/id", "quantity": 1}]},
        ),
    },
    "reserve": {
        "purchase": ({}, {"reservationId": "reservationId"}),
        "release_reservation": ({"reservationId": "reservationId"}, {}),
    },
    "purchase": {
        "get_order": ({"orderId": "orderId"}, {}),
        "process": ({}, {"orderId": "orderId"}),
    },
    "process": {"get_order": ({"orderId": "orderId"}, {})},
    "get_order": {
        "get_ticket": ({"ticketId": "tickets/0/id"}, {}),
        "ticket_qr": ({"ticketId": "tickets/0/id"}, {}),
        "resend_ticket": ({"ticketId": "tickets/0/id"}, {}),
        "process": ({}, {"orderId": "orderId"}),
        "refund": ({}, {"orderId": "orderId"}),
    },
    "list_orders": {"get_order": ({"orderId": "items/0/orderId"}, {})},
    "list_event_orders": {
        "get_order": ({"orderId": "items/0/orderId"}, {}),
        "refund": ({}, {"orderId": "items/0/orderId"}),
    },
    "refund": {},
    "get_ticket": {
        "check_in": ({}, {"qrCode": "qrCode"}),
        "ticket_qr": ({"ticketId": "id"}, {}),
        "resend_ticket": ({"ticketId": "id"}, {}),
        "get_order": ({"orderId": "orderId"}, {}),
    },
    "send": {"status": ({"id": "notificationId"}, {})},
}


def links_of(operation: str, known: set[str]) -> Json:
    """The links of an operation's success, as the document has them, to the operations that there are."""
    return {
        target: _link(target, parameters, body)
        for target, (parameters, body) in LINKS.get(operation, {}).items()
        if target in known
    }


def _link(target: str, parameters: Json, body: Json) -> Json:
    link: Json = {"operationId": target}
    if parameters:
        link["parameters"] = {name: f"{_BODY}{pointer}" for name, pointer in parameters.items()}
    if body:
        link["requestBody"] = {
            name: f"{_BODY}{pointer}" if isinstance(pointer, str) else pointer
            for name, pointer in body.items()
        }
    return link
