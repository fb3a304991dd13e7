"""Refusals in Stripe's words: status, type, code, param and message as https://docs.stripe.com/api/errors describes."""

from local.stripe_simulator.ids import Json

_DOC_URL = "https://stripe.com/docs/error-codes/"


class Refusal(Exception):
    """The answer to a request that Stripe would not carry out.

    Attributes:
        status: HTTP status of the answer.
        executed: whether the endpoint had begun to work. Only such answers are kept for an idempotency key
            (https://docs.stripe.com/api/idempotent_requests): parameters that fail validation may be corrected.
        error: the `error` object of the body.
    """

    def __init__(
        self, status: int, kind: str, message: str, *, executed: bool = True, **fields: object
    ) -> None:
        super().__init__(message)
        self.status = status
        self.executed = executed
        self.error: Json = {"type": kind, "message": message}
        self.error |= {name: value for name, value in fields.items() if value is not None}
        if code := self.error.get("code"):
            self.error["doc_url"] = _DOC_URL + str(code).replace("_", "-")

    def body(self) -> Json:
        """The JSON body of the answer."""
        return {"error": self.error}


def invalid_request(
    message: str,
    *,
    code: str | None = None,
    param: str | None = None,
    intent: Json | None = None,
    executed: bool = True,
) -> Refusal:
    """400 `invalid_request_error`, the common shape of a refusal."""
    return Refusal(
        400,
        "invalid_request_error",
        message,
        code=code,
        param=param,
        payment_intent=intent,
        executed=executed,
    )


def parameter_unknown(name: str) -> Refusal:
    """A parameter this endpoint does not take (or that is not simulated)."""
    return invalid_request(
        f"Received unknown parameter: {name}", code="parameter_unknown", param=name, executed=False
    )


def parameter_missing(name: str) -> Refusal:
    """A required parameter is absent."""
    return invalid_request(
        f"Missing required param: {name}.", code="parameter_missing", param=name, executed=False
    )


def parameter_empty(name: str) -> Refusal:
    """An empty string, which Stripe reads as an attempt to unset."""
    message = (
        f"You passed an empty string for '{name}'. We assume empty values are an attempt to unset a parameter;"
        f" however '{name}' cannot be unset. You should remove '{name}' from your request or supply a"
        " non-empty value."
    )
    return invalid_request(message, code="parameter_invalid_empty", param=name, executed=False)


def parameter_invalid(name: str, message: str, code: str | None = None) -> Refusal:
    """A value of the wrong form."""
    return invalid_request(message, code=code, param=name, executed=False)


def resource_missing(kind: str, identifier: str, param: str, status: int = 404) -> Refusal:
    """No such object: 404 when the URL names it, 400 when a parameter does."""
    return Refusal(
        status,
        "invalid_request_error",
        f"No such {kind}: '{identifier}'",
        code="resource_missing",
        param=param,
    )


def unexpected_state(message: str, intent: Json) -> Refusal:
    """The intent's status does not allow this; the error carries the intent, so that the caller sees why."""
    return invalid_request(message, code="payment_intent_unexpected_state", intent=intent)


def unauthorized(presented: str | None) -> Refusal:
    """401: no secret key, or not the account's. A wrong key is shown as Stripe shows it, all but its end starred."""
    if not presented:
        message = (
            "You did not provide an API key. You need to provide your API key in the Authorization header, using"
            " Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See"
            " https://stripe.com/docs/api#authentication for details, or we can help at"
            " https://support.stripe.com/."
        )
    else:
        message = f"Invalid API Key provided: {presented[:8]}{'*' * 8}{presented[-4:]}"
    return Refusal(401, "invalid_request_error", message, executed=False)


def unknown_url(method: str, path: str) -> Refusal:
    """404 for an address Stripe does not have, or that is not simulated."""
    message = (
        f"Unrecognized request URL ({method}: {path}). If you are trying to list objects, remove the trailing slash."
        " If you are trying to retrieve an object, make sure you passed a valid (non-empty) identifier in your"
        " code. Please see https://stripe.com/docs or we can help at https://support.stripe.com/."
    )
    return Refusal(404, "invalid_request_error", message, executed=False)


def server_error() -> Refusal:
    """500 `api_error`, Stripe's own trouble."""
    return Refusal(
        500,
        "api_error",
        "Sorry! There was an error while talking to one of our backends. You should retry the request.",
    )
