"""The addresses of Stripe's API that are simulated, each with its name and what it does."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

from local.stripe_simulator import charges, disputes, errors, events, intents, listing, methods, refunds
from local.stripe_simulator.calls import Call
from local.stripe_simulator.forms import Parameters
from local.stripe_simulator.ids import Json

Work = Callable[[Call, str, Json], Json]


@dataclass(frozen=True)
class Operation:
    """One endpoint. `work` gets the id from the URL (empty when it has none) and the parameters."""

    name: str
    method: str
    path: re.Pattern[str]
    work: Work


def _operation(name: str, method: str, path: str, work: Work) -> Operation:
    return Operation(name, method, re.compile(path.replace("{id}", "(?P<id>[^/]+)")), work)


def _list_events(call: Call, _: str, values: Json) -> Json:
    parameters = Parameters(values, listing.PAGING | {"type"})
    return listing.page(call, "event", "/v1/events", parameters, type=parameters.text("type"))


def _get_charge(call: Call, identifier: str, values: Json) -> Json:
    parameters = Parameters(values, frozenset({"expand"}))
    return listing.expand(call, charges.retrieve(call, identifier), parameters.texts("expand"))


OPERATIONS = (
    _operation("payment_intents.create", "POST", "/v1/payment_intents", lambda c, _, v: intents.create(c, v)),
    _operation("payment_intents.list", "GET", "/v1/payment_intents", lambda c, _, v: intents.list_all(c, v)),
    _operation("payment_intents.retrieve", "GET", "/v1/payment_intents/{id}", intents.retrieve),
    _operation("payment_intents.confirm", "POST", "/v1/payment_intents/{id}/confirm", intents.confirm),
    _operation("payment_intents.cancel", "POST", "/v1/payment_intents/{id}/cancel", intents.cancel),
    _operation(
        "payment_methods.retrieve", "GET", "/v1/payment_methods/{id}", lambda c, i, _: methods.retrieve(c, i)
    ),
    _operation("charges.retrieve", "GET", "/v1/charges/{id}", _get_charge),
    _operation("refunds.create", "POST", "/v1/refunds", lambda c, _, v: refunds.create(c, v)),
    _operation("refunds.list", "GET", "/v1/refunds", lambda c, _, v: refunds.list_all(c, v)),
    _operation("refunds.retrieve", "GET", "/v1/refunds/{id}", refunds.retrieve),
    _operation("disputes.list", "GET", "/v1/disputes", lambda c, _, v: disputes.list_all(c, v)),
    _operation("disputes.retrieve", "GET", "/v1/disputes/{id}", disputes.retrieve),
    _operation("disputes.update", "POST", "/v1/disputes/{id}", disputes.update),
    _operation("disputes.close", "POST", "/v1/disputes/{id}/close", disputes.close),
    _operation("events.list", "GET", "/v1/events", _list_events),
    _operation("events.retrieve", "GET", "/v1/events/{id}", lambda c, i, _: events.retrieve(c, i)),
)


def find(method: str, path: str) -> tuple[Operation, str]:
    """The operation at an address, and the id in it.

    Raises:
        Refusal: 404, no such address (or not simulated).
    """
    for operation in OPERATIONS:
        match = operation.path.fullmatch(path) if operation.method == method else None
        if match:
            return operation, unquote(match.groupdict().get("id", ""))
    raise errors.unknown_url(method, path)
