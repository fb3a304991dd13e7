"""GET /api/health/tickets: whether this service can serve."""

from functions.tickets.cache import cache
from functions.tickets.database import database
from shared.health import health_api

api = health_api(database, cache)
handler = api.handler
