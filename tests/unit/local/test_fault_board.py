"""Faults in place of others: at no moment is there a call that neither the old nor the new ones would strike."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from local.assembly import Assembly
from local.console.faults import FaultBoard
from local.faults import Faults
from local.lambdas import LambdaHost
from local.servers import Servers

FUNCTION = "box-office-dev-tickets-consumer-users"
BROKEN = [{"target": FUNCTION, "mode": "error", "times": None}]


def test_a_function_that_stays_broken_is_broken_while_others_are_mended() -> None:
    faults, seen = Faults(), []

    class Providers:
        async def delete(self, _url: str) -> Any:
            seen.append(faults.take(FUNCTION))

    board = FaultBoard(
        cast(LambdaHost, SimpleNamespace(faults=faults)),
        cast(Assembly, SimpleNamespace(functions={FUNCTION: None}, event_sources=())),
        cast(Servers, SimpleNamespace(stripe_url="", paypal_url="", aws_url="")),
    )
    board.session = cast(Any, Providers())
    asyncio.run(board.add(BROKEN))

    asyncio.run(board.replace(BROKEN))

    assert len(seen) > 1
    assert set(seen) == {"error"}
    assert faults.take(FUNCTION) == "error"
