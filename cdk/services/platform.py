"""Platform: what belongs to no service. (The migrations lie in a stack of their own, below the services.)"""

from cdk.handler import Source
from cdk.messaging import Queue
from cdk.service import Ground, Job, Route, Row, When

QUEUES: tuple[Queue, ...] = ()

READER = Source("payments", "jobs", "read_gateways")


# A row is a line.
# fmt: off
def rows(on: Ground) -> list[Row]:
    """Every function of the service, and what it may touch."""
    canary: When = "every five minutes" if on.runtime.stage.canary else "by hand"
    reader = on.runtime.invoke(READER, "GATEWAY_READER")
    return [
        Route("GET", "/api/health",       "health",  "public"),
        Route("GET", "/api/openapi.json", "openapi", "public"),
        Route("GET", "/api/docs",         "docs",    "public"),

        # Hot for the memory: it holds a day's orders.
        Job("audit", "every hour", uses=[on.data.audit, on.saga.look, reader], hot=True, timeout=900),

        Job("buy_free_ticket", canary, uses=[on.data.canary.read], timeout=120),
    ]
# fmt: on
