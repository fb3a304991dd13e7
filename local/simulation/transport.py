"""How an answer gets lost or late on request: see `faults`."""

import asyncio

from aiohttp import web

from local.simulation.faults import Fault

_LONGEST_SILENCE_SECONDS = 600.0


async def strikes_first(fault: Fault | None) -> bool:
    """Whether the connection ends before anything is done; a slow answer waits here, with its key in use."""
    if fault and fault.mode == "slow":
        await asyncio.sleep(fault.seconds)
    return fault is not None and fault.mode == "kill_before"


async def deliver(request: web.Request, fault: Fault | None, response: web.Response) -> web.StreamResponse:
    """Send the answer, unless a fault loses it."""
    if fault and fault.mode == "kill_after":
        return hang_up(request)
    if fault and fault.mode == "timeout":
        await _stay_silent(request)
        return hang_up(request)
    return response


def hang_up(request: web.Request) -> web.Response:
    """Drop the connection."""
    if request.transport:
        request.transport.abort()
    return web.Response()


async def _stay_silent(request: web.Request) -> None:
    """Until the caller has given up."""
    waited = 0.0
    while request.transport and not request.transport.is_closing() and waited < _LONGEST_SILENCE_SECONDS:
        await asyncio.sleep(0.25)
        waited += 0.25
