"""The auth service's database; connects on first use."""

from shared.database import Database

database = Database("auth")
