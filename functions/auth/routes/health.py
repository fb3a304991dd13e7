"""GET /api/health/auth: whether this service can serve."""

from functions.auth.cache import cache
from functions.auth.database import database
from shared.health import health_api

api = health_api(database, cache)
handler = api.handler
