"""Every minute: publish what a crash left in the outbox, forget what is too old to matter."""

from functions.auth.database import database
from shared.job import sweep_messages

handler = sweep_messages(database)
