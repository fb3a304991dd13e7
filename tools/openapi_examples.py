"""Examples for the OpenAPI document: a request and an answer of each operation, made from its schemas.

A field is told by its name, so that what one operation answers is what the next one takes; where no name is known, the
schema says. A unit test holds every example against its schema.
"""

from typing import Any

Json = dict[str, Any]

# Ids by what they name: the same in every example.
_IDS = {
    name: f"{number:08x}-5e1c-4d3f-9a57-2f1d0c8e7b{number:02x}"
    for number, name in enumerate(
        (
            "userId",
            "organizerId",
            "eventId",
            "ticketTypeId",
            "reservationId",
            "orderId",
            "ticketId",
            "refundId",
            "notificationId",
            "categoryId",
            "templateId",
        ),
        start=17,
    )
}

# What an `id` is the id of, by the schema that holds it.
_OWN_ID = {
    "Event": "eventId",
    "OwnEvent": "eventId",
    "Category": "categoryId",
    "TicketType": "ticketTypeId",
    "TypeOnSale": "ticketTypeId",
    "Ticket": "ticketId",
    "NotificationStatus": "notificationId",
    "TemplateAnswer": "templateId",
    "TicketView": "ticketId",
}

_BY_NAME: Json = {
    **_IDS,
    "accessToken": "eyJhbGciOiJFUzI1NiIsImtpZCI6IjEifQ.eyJzdWIiOiIuLi4ifQ.c2lnbmF0dXJl",
    "amount": "29.00",
    "approvalUrl": "https://www.paypal.com/checkoutnow?token=5O190127TN364715T",
    "available": 118,
    "category": "music",
    "clientSecret": "pi_3PqX_secret_9sJk",
    "code": "generic_decline",
    "contentType": "image/jpeg",
    "count": 1,
    "currency": "EUR",
    "dateOfBirth": "1990-12-31",
    "description": "An evening of new music between the platforms",
    "displayName": "Card",
    "email": "ada@example.com",
    "recipientEmail": "ada@example.com",
    "emailVerified": True,
    "errorMessage": None,
    "eventDate": "2030-05-31T18:00:00.000Z",
    "eventName": "Night Trains",
    "expiresIn": 900,
    "firstName": "Ada",
    "lastName": "Lovelace",
    "holderName": "Ada Lovelace",
    "holderNames": ["Ada Lovelace", "Charles Babbage"],
    "htmlContent": "<p>Hello {{ first_name }}, the doors open at eight.</p>",
    "textContent": "Hello {{ first_name }}, the doors open at eight.",
    "subject": "Tonight",
    "templateName": "doors-open",
    "imageError": None,
    "imageStatus": "SHOWN",
    "imageUrl": "https://pictures.box-office.example/7a1f0c52-5e1c-4d3f-9a57-2f1d0c8e7b99/medium.jpg",
    "limit": 20,
    "name": "Night Trains",
    "nextCursor": None,
    "orderNumber": "BO-TAYK-A47H-AFHR",
    "password": "Correct-Horse-7",
    "newPassword": "Correct-Horse-8",
    "perPersonLimit": 6,
    "price": "29.00",
    "publishableKey": "pk_test_51H",
    "q": "nigth trains",
    "qrCode": "BO1.eyJ0IjoiLi4uIn0.c2lnbmF0dXJl",
    "quantity": 2,
    "quantityAvailable": 120,
    "quantityHeld": 2,
    "quantitySold": 0,
    "reason": "The venue had to close",
    "refreshToken": "3vV5mXKqkYH0b2hF7c1n",
    "kid": "2030-05",
    "message": "Your card was declined.",
    "qrCodeImageUrl": f"/api/tickets/{_IDS['ticketId']}/qr.png",
    "refundedAmount": "0.00",
    "saleEndDate": "2030-05-31T17:00:00.000Z",
    "saleStartDate": "2030-03-01T09:00:00.000Z",
    "service": "tickets",
    "size": 482133,
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    "statusUrl": f"/api/payments/orders/{_IDS['orderId']}",
    "ticketNumber": "BO-TAYK-A47H-AFHR-1",
    "ticketType": "Standing",
    "timeZone": "Europe/Vienna",
    "token": "b3BhcXVlLWxpbmstdG9rZW4",
    "totalAmount": "58.00",
    "totalPrice": "58.00",
    "unitPrice": "29.00",
    "uploadUrl": "https://box-office-pictures.s3.amazonaws.com/",
    "venueAddress": "Bahnhofplatz 1, Wien",
    "venueName": "The old station",
    "venueZone": None,
    "version": 1,
}
_BY_PLACE: dict[tuple[str, str], Any] = {
    ("PaymentMethod", "token"): "pm_card_visa",
    ("PaymentMethodView", "type"): "stripe",
    ("Category", "name"): "music",
    ("Category", "description"): "Concerts, festivals, opera",
    ("CategoryRequest", "name"): "music",
    ("CategoryRequest", "description"): "Concerts, festivals, opera",
    ("TicketType", "name"): "Standing",
    ("TypeOnSale", "name"): "Standing",
    ("CreateTicketTypeRequest", "name"): "Standing",
    ("UpdateTicketTypeRequest", "name"): "Standing",
    ("OrderItem", "name"): "Standing",
    ("TemplateRequest", "name"): "doors-open",
    ("TemplateAnswer", "name"): "doors-open",
    ("SendRequest", "data"): {"first_name": "Ada"},
    ("LoginRequest", "password"): "Correct-Horse-7",
    ("ImageForm", "fields"): {
        "Content-Type": "image/jpeg",
        "key": "uploads/7a1f0c52-5e1c-4d3f-9a57-2f1d0c8e7b99",
        "policy": "eyJleHBpcmF0aW9uIjoiLi4uIn0=",
        "x-amz-signature": "b5c1",
    },
    ("Health", "dependencies"): {"database": "ok", "cache": "ok"},
    ("SystemHealth", "services"): {"auth": "ok", "tickets": "ok"},
    ("SystemHealth", "dependencies"): {
        "auth": {"database": "ok", "cache": "ok"},
        "tickets": {"database": "ok"},
    },
    ("JwkSet", "keys"): [{"kid": "2030-05", "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig"}],
    ("ChosenMethod", "token"): "pm_card_visa",
    ("HistoryEntry", "type"): "ORDER_CREATED",
    ("ItemView", "name"): "Standing",
    ("MethodView", "type"): "stripe",
    ("ProcessAccepted", "status"): "PENDING",
    ("TicketView", "status"): "ACTIVE",
    ("RefundAccepted", "status"): "PENDING",
    ("NotificationStatus", "status"): "SENT",
    ("NotificationStatus", "deliveryStatus"): "DELIVERED",
}
# Fields of a request that are left out of its example, since others stand for them.
_NOT_ASKED = {
    ("RefundRequest", "ticketIds"),
    ("SendRequest", "recipientEmail"),
    ("TicketTypeTerms", "saleStartDate"),
    ("UpdateTicketTypeRequest", "eventId"),
}
_BY_FORMAT = {
    "uuid": "00000000-0000-4000-8000-000000000000",
    "date": "2030-05-31",
    "email": "ada@example.com",
    "date-time": "2030-05-31T18:00:00.000Z",
    "uri": "https://box-office.example/",
}


class Examples:
    """Makes examples for the schemas of one document."""

    def __init__(self, schemas: Json) -> None:
        self._schemas = schemas

    def of(self, schema: Json) -> Any:
        """A value that the schema admits."""
        return self._value(schema, "", "", 0)

    def of_parameter(self, name: str, schema: Json, path: str) -> Any:
        """A value for a parameter; an `id` is of what the path is about."""
        if name == "id":
            name = "notificationId" if "/notifications/" in path else "eventId"
        return self._value(schema, "", name, 0)

    def _value(self, schema: Json, owner: str, name: str, depth: int) -> Any:
        known = self._known(owner, name, schema)
        if known is not _UNKNOWN:
            return known
        if "$ref" in schema:
            owner = schema["$ref"].rsplit("/", 1)[-1]
            return self._value(self._schemas[owner], owner, "", depth)
        if "examples" in schema:
            return schema["examples"][0]
        for fixed in ("const", "default"):
            if schema.get(fixed) is not None:
                return schema[fixed]
        if "enum" in schema:
            return schema["enum"][0]
        for options in ("anyOf", "oneOf", "allOf"):
            if options in schema:
                return self._value(schema[options][0], owner, name, depth)
        return self._by_type(schema, owner, name, depth)

    def _known(self, owner: str, name: str, schema: Json) -> Any:
        if name == "id" and owner in _OWN_ID:
            return _IDS[_OWN_ID[owner]]
        value = _BY_PLACE.get((owner, name), _BY_NAME.get(name, _UNKNOWN))
        return value if value is not _UNKNOWN and self._admits(schema, value) else _UNKNOWN

    def _admits(self, schema: Json, value: Any) -> bool:
        """Whether a value is of the schema's type: two schemas may mean different things by one name."""
        if "$ref" in schema:
            schema = self._schemas[schema["$ref"].rsplit("/", 1)[-1]]
        options = schema.get("anyOf") or schema.get("oneOf")
        if options:
            return any(self._admits(option, value) for option in options)
        if "enum" in schema or "const" in schema:
            return value in schema.get("enum", [schema.get("const")])
        return schema.get("type") in (None, _TYPES[type(value)])

    def _by_type(self, schema: Json, owner: str, name: str, depth: int) -> Any:
        match schema.get("type"):
            case "object":
                return self._object(schema, owner, depth)
            case "array":
                singular = name.removesuffix("s")
                return [self._value(schema.get("items", {}), owner, singular, depth + 1)]
            case "integer" | "number":
                return schema.get("minimum", schema.get("exclusiveMinimum", 1))
            case "boolean":
                return True
            case "null" | None:
                return None
        return _BY_FORMAT.get(schema.get("format", ""), "text")

    def _object(self, schema: Json, owner: str, depth: int) -> Any:
        if depth > 8:
            return {}
        if "properties" not in schema:
            extra = schema.get("additionalProperties")
            return (
                {"ok": self._value(extra, owner, "", depth + 1)} if isinstance(extra, dict) and extra else {}
            )
        return {
            name: self._value(part, owner, name, depth + 1)
            for name, part in schema["properties"].items()
            if (owner, name) not in _NOT_ASKED
        }


_UNKNOWN = object()
_TYPES = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    list: "array",
    dict: "object",
    type(None): "null",
}
