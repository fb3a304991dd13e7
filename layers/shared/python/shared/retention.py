"""Forgetting what is over: the oldest rows of a table, so many in one run, so that no run is long or locks much."""

from datetime import datetime

from shared.database import Sql


def forget(sql: Sql, table: str, column: str, before: datetime, limit: int, *, only: str = "TRUE") -> int:
    """Delete the oldest rows whose `column` is before a time; how many. Rows that somebody has are left.

    Args:
        table, column: as the code that calls names them; an index on the column makes this cheap.
        only: a condition that the rows meet as well, as SQL.
    """
    return sql.run(
        f"""
        DELETE FROM {table} WHERE ctid = ANY(ARRAY(
            SELECT ctid FROM {table} WHERE {column} < %(before)s AND {only}
             ORDER BY {column} LIMIT %(limit)s FOR UPDATE SKIP LOCKED))
        """,  # noqa: S608  # names and a condition of our own
        before=before,
        limit=limit,
    )
