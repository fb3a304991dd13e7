"""Start the simulated gateway: `python -m local.stripe_simulator --help`."""

import argparse
import logging
import sys
from pathlib import Path

from aiohttp import web

from local.simulation.deliveries import Webhooks
from local.simulation.serving import serve
from local.stripe_simulator.api import Api
from local.stripe_simulator.control import Control
from local.stripe_simulator.store import Store
from local.stripe_simulator.webhooks import manners


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.stripe_simulator", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="port on the loopback interface")
    parser.add_argument("--state", type=Path, required=True, help="folder of stripe.sqlite3, made if missing")
    parser.add_argument("--webhook-url", required=True, help="where events are delivered")
    parser.add_argument("--secret-key", required=True, help="sk_test_…, the only key that is accepted")
    parser.add_argument("--webhook-secret", required=True, help="whsec_…, signs the deliveries")
    return parser.parse_args()


def main() -> int:
    """Run; 1 when the port is taken."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    options = _arguments()
    options.state.mkdir(parents=True, exist_ok=True)
    store = Store(options.state / "stripe.sqlite3")
    webhooks = Webhooks(store, options.webhook_url, manners(options.webhook_secret))
    api = Api(store, options.secret_key, webhooks.wake)
    application = web.Application()
    application.add_routes(Control(store, webhooks.wake, "stripe").routes())
    application.router.add_route("*", "/{path:.*}", api.handle)
    return serve("stripe", options.port, application, webhooks, store)


if __name__ == "__main__":
    sys.exit(main())
