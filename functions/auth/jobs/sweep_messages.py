"""Every minute: publish messages that a crash left behind, forget what is too old to matter."""

from functions.auth.database import database
from shared.job import sweep_messages

handler = sweep_messages(database)
