"""GET /api/health/events: whether this service can serve."""

from functions.events.cache import cache
from functions.events.database import database
from shared.health import health_api

api = health_api(database, cache)
handler = api.handler
