"""How business goes, as metrics: what happened, counted once its transaction has committed.

The canary buys a ticket every few minutes (`platform/jobs/buy_free_ticket`): what happens at its event is nobody's
business, and neither counted nor shown in lists.
"""

from uuid import UUID

from shared import metrics
from shared.database import Sql
from shared.settings import Setting

CANARY_EVENT = Setting(
    "canary_event", str(UUID(int=0)), "The event at which the canary buys: in no list, and in no figure"
)


def count(sql: Sql, service: str, name: str, event_id: UUID, value: int = 1) -> None:
    """Count something that happens at an event, e.g. `count(sql, "tickets", "TicketsIssued", event_id, 2)`."""

    def counted() -> None:
        if str(event_id) != CANARY_EVENT():
            metrics.count(service, name, value)

    sql.after_commit(counted)
