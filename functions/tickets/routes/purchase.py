"""POST /api/tickets/purchase: buy what a reservation holds."""

from functions.tickets import executions, purchasing
from functions.tickets.database import database
from functions.tickets.models import PurchaseAccepted, PurchaseRequest
from shared.api import Api
from shared.clock import now
from shared.database import Sql
from shared.identity import User
from shared.log import correlation_id

api = Api("tickets", database)


@api.post("/api/tickets/purchase", status=202, idempotent="required")
def purchase(request: PurchaseRequest, buyer: User, sql: Sql) -> PurchaseAccepted:
    """Bind the seats to a new order; the payment and the tickets follow, `statusUrl` tells how it goes."""
    accepted = purchasing.bind(sql, buyer.id, request, now())
    # Best effort: jobs/resume_purchases starts what a crash between commit and this call did not.
    sql.after_commit(lambda: executions.start(accepted.order_id, correlation_id()))
    return accepted


handler = api.handler
