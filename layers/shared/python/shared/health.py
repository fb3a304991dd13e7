"""GET /api/health/{service}: the route that every service has, answered by itself from its own dependencies."""

from typing import Literal

from shared.api import Api
from shared.cache import Cache
from shared.database import Database
from shared.errors import FieldError, Unavailable
from shared.wire import Answer

State = Literal["ok", "down"]


class Health(Answer):
    """A service that can serve; without Redis it is slower, and says so."""

    service: str
    status: Literal["ok"] = "ok"
    dependencies: dict[str, State]


def health_api(database: Database, cache: Cache | None = None) -> Api:
    """The health route of the service that owns `database`, and the cache if it uses one.

    It answers 503, with the state of each dependency in the details, when the database does not answer.
    """
    api = Api(database.service)

    def health() -> Health:
        states: dict[str, State] = {"database": "ok" if _answers(database) else "down"}
        if cache is not None:
            states["cache"] = "ok" if cache.ping() else "down"
        if states["database"] == "down":
            unavailable = Unavailable("database", retry_after=5)
            unavailable.details = [FieldError(name, state) for name, state in states.items()]
            raise unavailable
        return Health(service=database.service, dependencies=states)

    health.__name__ = f"{database.service}_health"  # the operation's id, one per service
    api.get(f"/api/health/{database.service}")(health)
    return api


def _answers(database: Database) -> bool:
    try:
        with database.reading() as sql:
            return sql.one("SELECT 1 AS answer") is not None
    except Unavailable:
        return False
