"""GET /api/health: whether the whole system serves."""

from functions.platform import system_health
from functions.platform.system_health import SystemHealth
from shared import calls
from shared.api import Api

api = Api("platform")


@api.get("/api/health")
def health() -> SystemHealth:
    return system_health.ask_all(calls.get, seconds=calls.TIMEOUT_SECONDS())


handler = api.handler
