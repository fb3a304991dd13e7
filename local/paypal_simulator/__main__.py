"""Start the simulated PayPal: `python -m local.paypal_simulator --help`."""

import argparse
import logging
import sys
from pathlib import Path

from aiohttp import web

from local.paypal_simulator import certificates
from local.paypal_simulator.api import Account, Api
from local.paypal_simulator.checkout import Checkout
from local.paypal_simulator.control import Control
from local.paypal_simulator.webhooks import manners
from local.simulation.deliveries import Webhooks
from local.simulation.serving import HOST, serve
from local.simulation.store import Store


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.paypal_simulator", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="port on the loopback interface")
    parser.add_argument("--state", type=Path, required=True, help="folder of paypal.sqlite3, made if missing")
    parser.add_argument("--webhook-url", required=True, help="where events are delivered")
    parser.add_argument("--client-id", required=True, help="the account's app")
    parser.add_argument("--client-secret", required=True, help="its secret")
    parser.add_argument("--webhook-id", required=True, help="the id of the webhook, part of what is signed")
    return parser.parse_args()


def main() -> int:
    """Run; 1 when the port is taken."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    options = _arguments()
    options.state.mkdir(parents=True, exist_ok=True)
    store = Store(options.state / "paypal.sqlite3")
    base = f"http://{HOST}:{options.port}"
    signer = certificates.of(options.state)
    webhooks = Webhooks(store, options.webhook_url, manners(signer, options.webhook_id, base))
    account = Account(options.client_id, options.client_secret, base)
    api = Api(store, account, signer, webhooks.wake)
    application = web.Application()
    application.add_routes(Control(store, webhooks.wake, "paypal").routes())
    application.add_routes(Checkout(store, base, webhooks.wake).routes())
    application.add_routes(api.routes())
    return serve("paypal", options.port, application, webhooks, store)


if __name__ == "__main__":
    sys.exit(main())
