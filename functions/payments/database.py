"""The payments database."""

from shared.database import Database

database = Database("payments")
