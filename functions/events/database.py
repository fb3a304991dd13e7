"""The database of the events service."""

from shared.database import Database

database = Database("events")
