"""GET /api/health/payments: whether this service can serve."""

from functions.payments.database import database
from shared.health import health_api

api = health_api(database)
handler = api.handler
