"""Start the simulated gateway: `python -m local.stripe_simulator --help`."""

import argparse
import asyncio
import contextlib
import logging
import signal
import sys
from pathlib import Path

from aiohttp import web

from local.stripe_simulator.api import Api
from local.stripe_simulator.control import Control
from local.stripe_simulator.store import Store
from local.stripe_simulator.webhooks import Webhooks

HOST = "127.0.0.1"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.stripe_simulator", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="port on the loopback interface")
    parser.add_argument("--state", type=Path, required=True, help="folder of stripe.sqlite3, made if missing")
    parser.add_argument("--webhook-url", required=True, help="where events are delivered")
    parser.add_argument("--secret-key", required=True, help="sk_test_…, the only key that is accepted")
    parser.add_argument("--webhook-secret", required=True, help="whsec_…, signs the deliveries")
    return parser.parse_args()


async def _serve(options: argparse.Namespace) -> None:
    """Until SIGTERM or SIGINT.

    Raises:
        OSError: the port is taken.
    """
    options.state.mkdir(parents=True, exist_ok=True)
    store = Store(options.state / "stripe.sqlite3")
    webhooks = Webhooks(store, options.webhook_url, options.webhook_secret)
    api = Api(store, options.secret_key, webhooks.wake)
    application = web.Application()
    application.add_routes(Control(store, webhooks.wake).routes())
    application.router.add_route("*", "/{path:.*}", api.handle)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, HOST, options.port).start()
    print(f"stripe simulator listening on http://{HOST}:{options.port}", flush=True)
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


def main() -> int:
    """Run; 1 when the port is taken."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    options = _arguments()
    try:
        asyncio.run(_serve(options))
    except OSError as error:
        print(f"stripe simulator: cannot listen on {HOST}:{options.port}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
