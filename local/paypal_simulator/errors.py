"""Refusals in PayPal's words: https://developer.paypal.com/api/rest/responses/#link-failedrequests."""

import uuid

from local.simulation.json import Json

_UNPROCESSABLE = (
    "The requested action could not be performed, semantically incorrect, or failed business validation."
)
_INFORMATION = "https://developer.paypal.com/docs/api/orders/v2/#error-"

# What is refused, and how PayPal explains it: https://developer.paypal.com/api/rest/reference/orders/v2/errors/
_ISSUES = {
    "ACTION_DOES_NOT_MATCH_INTENT": "Order was created with an intent to 'AUTHORIZE'. Please use v2/checkout/orders/"
    "order_id/authorize to complete transaction or alternately Create an order with an intent of 'CAPTURE'.",
    "CANNOT_BE_ZERO_OR_NEGATIVE": "Must be greater than zero.",
    "CAPTURE_FULLY_REFUNDED": "The capture has already been fully refunded.",
    "CAPTURE_DISPUTED": "A dispute was raised for this transaction. A refund is no longer possible.",
    "CURRENCY_NOT_SUPPORTED": "Currency code is not currently supported.",
    "DUPLICATE_INVOICE_ID": "Duplicate Invoice ID detected. To avoid a potential duplicate transaction your account"
    " setting requires that Invoice Id be unique for each transaction.",
    "INSTRUMENT_DECLINED": "The instrument presented was either declined by the processor or bank, or it can't be"
    " used for this payment.",
    "INVALID_PARAMETER_VALUE": "The value of a field is invalid.",
    "NOT_PATCHABLE": "Cannot be patched.",
    "ORDER_ALREADY_CAPTURED": "Order already captured. If 'intent=CAPTURE' only one capture per order is allowed.",
    "ORDER_ALREADY_COMPLETED": "The order cannot be patched after it is completed.",
    "ORDER_NOT_APPROVED": "Payer has not yet approved the Order for payment. Please redirect the payer to the"
    " 'rel':'approve' url returned as part of the HATEOAS links within the Create Order call.",
    "REFUND_AMOUNT_EXCEEDED": "The refund amount must be less than or equal to the capture amount that has not yet"
    " been refunded.",
    "REFUND_NOT_ALLOWED": "The capture has not been completed.",
    "REQUEST_ID_USED_FOR_ANOTHER_REQUEST": "This PayPal-Request-Id came with another request.",
    "TRANSACTION_REFUSED": "The request was refused.",
}


class Refusal(Exception):
    """The answer to a request that PayPal would not carry out."""

    def __init__(self, status: int, name: str, message: str, **fields: object) -> None:
        super().__init__(message)
        self.status = status
        self._body: Json = {"name": name, "message": message, "debug_id": uuid.uuid4().hex[:13], **fields}

    def body(self) -> Json:
        """The JSON body of the answer."""
        return self._body


def unprocessable(issue: str, *links: Json) -> Refusal:
    """422, the common shape of a refusal."""
    details = [{"issue": issue, "description": _ISSUES[issue]}]
    information = {"href": f"{_INFORMATION}{issue}", "rel": "information_link", "method": "GET"}
    return Refusal(422, "UNPROCESSABLE_ENTITY", _UNPROCESSABLE, details=details, links=[information, *links])


def invalid(field: str, issue: str = "INVALID_PARAMETER_VALUE") -> Refusal:
    """400: the request violates the schema."""
    details = [{"field": field, "location": "body", "issue": issue, "description": _ISSUES[issue]}]
    message = "Request is not well-formed, syntactically incorrect, or violates schema."
    return Refusal(400, "INVALID_REQUEST", message, details=details)


def not_found() -> Refusal:
    """404: no such object, or no such address."""
    details = [
        {"issue": "INVALID_RESOURCE_ID", "description": "Specified resource ID does not exist. Please check."}
    ]
    return Refusal(404, "RESOURCE_NOT_FOUND", "The specified resource does not exist.", details=details)


def unauthorized() -> Refusal:
    """401: no access token, or not one of ours."""
    return Refusal(401, "AUTHENTICATION_FAILURE", "Authentication failed due to invalid credentials.")


def in_progress() -> Refusal:
    """409: the same request is being worked on."""
    return Refusal(
        409,
        "RESOURCE_CONFLICT",
        "The server has detected a conflict while processing this request.",
        details=[
            {
                "issue": "PREVIOUS_REQUEST_IN_PROGRESS",
                "description": "A previous request on this resource is currently in progress.",
            }
        ],
    )


def server_error() -> Refusal:
    """500: PayPal's own trouble."""
    return Refusal(500, "INTERNAL_SERVER_ERROR", "An internal server error has occurred.")
