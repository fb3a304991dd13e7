"""Running calls at the same moment, each in a process of its own, as Lambda would."""

import multiprocessing
from collections.abc import Callable
from multiprocessing.synchronize import Barrier
from typing import Any

from functions.payments import provider
from functions.payments.database import database
from shared import aws

_PROCESSES = multiprocessing.get_context("fork")
TIMEOUT_SECONDS = 60


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """What each call returned (or the exception it raised), all begun together."""
    # Connections are a process's own: none may be open when it forks.
    database.reset()
    provider.forget()
    aws.client.cache_clear()
    barrier = _PROCESSES.Barrier(len(calls))
    results: Any = _PROCESSES.Queue()
    processes = [
        _PROCESSES.Process(target=_run, args=(number, call, barrier, results), daemon=True)
        for number, call in enumerate(calls)
    ]
    for process in processes:
        process.start()
    found = dict(results.get(timeout=TIMEOUT_SECONDS) for _ in processes)
    for process in processes:
        process.join(TIMEOUT_SECONDS)
    return [found[number] for number in range(len(calls))]


def _run(number: int, call: Callable[[], Any], barrier: Barrier, results: Any) -> None:
    with database.reading() as sql:  # connected, and warm
        sql.one("SELECT 1 AS connected")
    barrier.wait(TIMEOUT_SECONDS)
    try:
        results.put((number, call()))
    except Exception as error:  # noqa: BLE001  # whatever it is, the test looks at it
        results.put((number, error))
