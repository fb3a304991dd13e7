"""GET /api/health: whether the whole system serves."""

from functions.platform import system_health
from functions.platform.system_health import SystemHealth
from shared import calls
from shared.api import Api

api = Api("platform")


@api.get("/api/health")
def health() -> SystemHealth:
    """The five services are asked in parallel, for five seconds in all; 503 names those that are down."""
    return system_health.ask_all(calls.ask, seconds=calls.TIMEOUT_SECONDS())


handler = api.handler
