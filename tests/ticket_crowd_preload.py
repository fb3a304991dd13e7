"""What each process of the crowd needs, imported once in the process that they are forked from."""

import importlib

for module in (
    "routes.check_in",
    "routes.purchase",
    "routes.reserve",
    "saga.issue",
    "saga.release",
    "jobs.expire_holds",
):
    importlib.import_module(f"functions.tickets.{module}")
importlib.import_module("tests.ticket_crowd")
