"""The database of the auth service."""

from shared.database import Database

database = Database("auth")
