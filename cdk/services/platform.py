"""Platform: what belongs to no service. (The migrations lie in a stack of their own, below the services.)"""

from cdk.messaging import Queue
from cdk.service import Ground, Route, Row

QUEUES: tuple[Queue, ...] = ()


# A row is a line.
# fmt: off
def rows(_: Ground) -> list[Row]:
    """Every function of the service, and what it may touch."""
    return [
        Route("GET", "/api/health",       "health",  "public"),
        Route("GET", "/api/openapi.json", "openapi", "public"),
        Route("GET", "/api/docs",         "docs",    "public"),
    ]
# fmt: on
