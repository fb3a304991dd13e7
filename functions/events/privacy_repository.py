"""SQL of what events holds on a user, and of what it forgets."""

from uuid import UUID

from shared.database import Sql

# What an export has of each table.
HELD = {
    "events": """
        SELECT to_jsonb(e) - 'search_vector' - 'search_text' AS record FROM events e
         WHERE organizer_id = %(user_id)s ORDER BY created_at""",
    "pictures": """
        SELECT to_jsonb(i) AS record FROM image_uploads i JOIN events e ON e.id = i.event_id
         WHERE e.organizer_id = %(user_id)s ORDER BY i.created_at""",
}


def delete_drafts(sql: Sql, organizer_id: UUID) -> list[UUID]:
    """Delete what nobody but the organizer has seen; which. The job `remove_images` deletes the pictures."""
    rows = sql.all(
        "DELETE FROM events WHERE organizer_id = %(id)s AND status = 'DRAFT' RETURNING id",
        id=organizer_id,
    )
    return sorted(row["id"] for row in rows)


def forget_log(sql: Sql, event_id: UUID) -> None:
    """Delete what tickets told of a draft: its ticket types have names."""
    sql.run("DELETE FROM sales_messages WHERE event_id = %(event_id)s", event_id=event_id)
