"""The process of a simulated provider: an HTTP server on the loopback interface, and deliveries beside it."""

import asyncio
import contextlib
import signal
import sys

from aiohttp import web

from local.simulation.deliveries import Webhooks
from local.simulation.store import Store

HOST = "127.0.0.1"


def serve(name: str, port: int, application: web.Application, webhooks: Webhooks, store: Store) -> int:
    """Until SIGTERM or SIGINT; the exit code, 1 when the port is taken."""
    try:
        asyncio.run(_serve(name, port, application, webhooks, store))
    except OSError as error:
        print(f"{name} simulator: cannot listen on {HOST}:{port}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


async def _serve(
    name: str, port: int, application: web.Application, webhooks: Webhooks, store: Store
) -> None:
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, HOST, port).start()
    print(f"{name} simulator listening on http://{HOST}:{port}", flush=True)
    delivering = asyncio.create_task(webhooks.run())
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    stopped = asyncio.create_task(stopping.wait())
    await asyncio.wait({delivering, stopped}, return_when=asyncio.FIRST_COMPLETED)
    delivering.cancel()
    await runner.cleanup()
    with contextlib.suppress(asyncio.CancelledError):
        await delivering
    store.close()
