"""GET /api/health/notifications: whether this service can serve."""

from functions.notifications.database import database
from shared.health import health_api

api = health_api(database)
handler = api.handler
