"""SQL of buyers: copies of what auth says of its users."""

from datetime import datetime
from uuid import UUID

from shared.database import Sql


def put(sql: Sql, user_id: UUID, *, version: int, email: str, first_name: str, last_name: str) -> None:
    """Keep a user's address and names, unless ours are newer or the person is erased."""
    sql.run(
        """
        INSERT INTO buyers (user_id, version, email, first_name, last_name)
        VALUES (%(user_id)s, %(version)s, %(email)s, %(first_name)s, %(last_name)s)
        ON CONFLICT (user_id) DO UPDATE
           SET version = EXCLUDED.version, email = EXCLUDED.email, first_name = EXCLUDED.first_name,
               last_name = EXCLUDED.last_name
         WHERE buyers.version < EXCLUDED.version AND buyers.erased_at IS NULL
        """,
        user_id=user_id,
        version=version,
        email=email,
        first_name=first_name,
        last_name=last_name,
    )


def erase(sql: Sql, user_id: UUID, at: datetime) -> None:
    """Leave nothing of a person but the note that there is nothing to be kept of them."""
    sql.run(
        """
        INSERT INTO buyers (user_id, version, erased_at) VALUES (%(user_id)s, 0, %(at)s)
        ON CONFLICT (user_id) DO UPDATE
           SET email = NULL, first_name = NULL, last_name = NULL,
               erased_at = coalesce(buyers.erased_at, EXCLUDED.erased_at)
        """,
        user_id=user_id,
        at=at,
    )
