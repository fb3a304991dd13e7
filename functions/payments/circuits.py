"""The circuits of the payment providers, for those who call one and those who only want to know.

Whoever records something for a provider to do asks here first: an attempt that cannot be made is refused, and nothing
has happened to the order.
"""

from functools import cache

from functions.payments.cache import cache as redis
from functions.payments.gateways.guarded import is_trouble
from functions.payments.settings import GATEWAY_CIRCUIT_FAILURES, GATEWAY_CIRCUIT_SECONDS
from shared.breaker import Breaker, CircuitOpen


@cache
def circuit(provider: str) -> Breaker:
    """The circuit of the provider of this name."""
    return Breaker(
        f"payments.{provider}",
        redis,
        failures=GATEWAY_CIRCUIT_FAILURES,
        open_seconds=GATEWAY_CIRCUIT_SECONDS,
        counts=is_trouble,
    )


def refusal(provider: str) -> CircuitOpen | None:
    """Why a payment at this provider is not even begun now (503, with the time of the next try); None if it is."""
    try:
        circuit(provider).check()
    except CircuitOpen as open_:
        return open_
    return None
