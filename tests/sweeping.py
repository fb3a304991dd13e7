"""What every sweep must do: take a limited number in one run, and other rows than a run beside it."""

from collections.abc import Callable

from shared.database import Database, Sql

MANY = 100


def runs(database: Database, take: Callable[[Sql, int], int], limit: int) -> tuple[int, int, int]:
    """How many a limited run takes, one beside it before it has committed, and one after both."""
    other = Database(database.service)  # the second Lambda has a connection of its own
    with database.transaction() as sql:
        first = take(sql, limit)
        with other.transaction() as beside:
            second = take(beside, MANY)
            beside.outbox.clear()  # left where it is: the first one's messages are still to come
    with other.transaction() as after:
        third = take(after, MANY)
    other.reset()
    return first, second, third
