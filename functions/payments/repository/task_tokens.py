"""SQL of task_tokens: Step Functions' tokens of purchases that wait for their payment."""

from datetime import datetime
from uuid import UUID

from shared.database import Sql


def keep(sql: Sql, order_id: UUID, token: str, at: datetime) -> None:
    """Remember the token that the purchase waits with now; a task tried again brings a new one."""
    sql.run(
        """
        INSERT INTO task_tokens (order_id, token, created_at) VALUES (%(order_id)s, %(token)s, %(at)s)
        ON CONFLICT (order_id) DO UPDATE SET token = EXCLUDED.token, created_at = EXCLUDED.created_at
        """,
        order_id=order_id,
        token=token,
        at=at,
    )


def take(sql: Sql, order_id: UUID) -> str | None:
    """The token to answer, which is forgotten; None if nobody waits."""
    row = sql.one("DELETE FROM task_tokens WHERE order_id = %(order_id)s RETURNING token", order_id=order_id)
    return row["token"] if row else None
