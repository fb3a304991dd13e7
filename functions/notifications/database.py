"""The notification service's database."""

from shared.database import Database

database = Database("notifications")
