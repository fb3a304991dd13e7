"""Every hour: delete the files of pictures that nobody sees any more."""

from typing import Any

from functions.events import images
from functions.events.database import database
from shared.clock import now
from shared.job import job


def run(_event: dict[str, Any]) -> int:
    """Replaced pictures, those of deleted events, and uploads that never came."""
    return images.remove_unseen(database, now())


handler = job("events", run)
