"""`/_local/`: what a developer looks at and does on the laptop, beside the API; and the pages behind links in mails."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
from aiohttp import web

from local.assembly import Assembly
from local.console.executions import Executions
from local.console.faults import FaultBoard, Rejected
from local.console.mail_news import KINDS, MailNews
from local.console.mails import Mails
from local.console.orders import Orders
from local.console.queues import QueueDepths
from local.lambdas import LambdaHost
from local.permissions.grants import SES
from local.queues import QueueConsumers
from local.servers import Servers
from local.state import State

_PAGES = Path(__file__).with_name("pages")
_PAGES_BY_PATH = {
    "/_local/": "console",
    # What links in mails lead to, as long as there is no front end.
    "/verify-email": "verify-email",
    "/reset-password": "reset-password",
    "/orders/{id}": "order",
}
_MOST_MAILS = 500
_SECONDS = 10.0

# The mails that are shown are our own and users' text stands in them: no scripts, no forms, nothing fetched.
_MAIL_POLICY = "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Console:
    """The routes under `/_local/` and what they need. Start it before the gateway and stop it after."""

    def __init__(
        self,
        state: State,
        assembly: Assembly,
        host: LambdaHost,
        servers: Servers,
        consumers: QueueConsumers,
    ) -> None:
        self._mails = Mails(state.mails)
        self._host, self._consumers = host, consumers
        self._auditor = next(
            (name for name in assembly.functions if name.endswith("-platform-job-audit")), ""
        )
        self._stripe_url, self._paypal_url = servers.stripe_url, servers.paypal_url
        self._executions = Executions(servers.aws_url, assembly)
        self._queues = QueueDepths(servers.aws_url, assembly)
        self._orders = Orders(servers.postgres)
        self._faults = FaultBoard(host, assembly, servers)
        topic = next((topic.arn for topic in assembly.topics if topic.name.endswith("-ses")), None)
        teller = next((arn for arn, service in assembly.grants.sources.items() if service == SES), "")
        self._mail_news = MailNews(servers.aws_url, topic, teller, servers.gateway_url, state.folder)
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Open what the routes need."""
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_SECONDS))
        self._faults.session = self._mail_news.session = self._session

    async def stop(self) -> None:
        """Close it again."""
        if self._session is not None:
            await self._session.close()
        await self._executions.close()
        await self._queues.close()

    def extend(self, app: web.Application) -> None:
        """Add the routes to the gateway's application."""
        routes: list[tuple[str, str, Handler]] = [
            ("GET", "/_local/emails", self._list_mails),
            ("GET", "/_local/emails/{id}", self._show_mail),
            ("POST", "/_local/emails/{id}/{news}", self._tell_of_mail),
            ("POST", "/_local/payments/{id}/authenticate", self._authenticate),
            ("GET", "/_local/executions", self._show_execution),
            ("GET", "/_local/overview", self._overview),
            ("POST", "/_local/audit", self._audit),
            ("GET", "/_local/faults", self._list_faults),
            ("PUT", "/_local/faults", self._replace_faults),
            ("POST", "/_local/faults", self._add_faults),
            ("DELETE", "/_local/faults", self._clear_faults),
            ("GET", "/_local/faults/strokes", self._list_strokes),
            ("GET", "/_local/queues", self._list_queues),
            ("POST", "/_local/queues/release", self._release_messages),
        ]
        for method, path, handler in routes:
            app.router.add_route(method, path, _guarded(handler))
        for path, name in _PAGES_BY_PATH.items():
            app.router.add_get(path, _page(name))
        app.router.add_get("/_local", _to_console)
        app.router.add_get("/", _to_console)
        app.router.add_route("*", "/_local/{path:.*}", _guarded(_unknown))

    async def _audit(self, request: web.Request) -> web.Response:
        """Run the auditor with the input that is sent; its report, or 502 if it failed."""
        answer = await self._host.invoke(self._auditor, await request.read() or b"{}")
        status = 502 if answer.error else 200
        return web.Response(body=answer.payload, status=status, content_type="application/json")

    async def _list_mails(self, request: web.Request) -> web.Response:
        mails = await asyncio.to_thread(self._mails.to, request.query.get("to"), _MOST_MAILS)
        return web.json_response([mail.json() for mail in mails])

    async def _show_mail(self, request: web.Request) -> web.Response:
        mail = await asyncio.to_thread(self._mails.one, request.match_info["id"])
        if mail is None:
            raise Rejected(404, "NOT_FOUND", "There is no such mail.")
        headers = {"Content-Security-Policy": _MAIL_POLICY}
        return web.Response(text=mail.page(), content_type="text/html", headers=headers)

    async def _tell_of_mail(self, request: web.Request) -> web.Response:
        """What a provider would tell of the mail: that it was delivered, that it bounced, or a complaint."""
        mail = await asyncio.to_thread(self._mails.one, request.match_info["id"])
        news = request.match_info["news"]
        if mail is None or news not in KINDS:
            raise Rejected(404, "NOT_FOUND", f"There is no such mail, or not one of {', '.join(KINDS)}.")
        await self._mail_news.tell(mail, news)
        return web.Response(status=202)

    async def _authenticate(self, request: web.Request) -> web.Response:
        """The buyer's 3-D Secure step, or approval at PayPal: told to us by the provider's webhook."""
        assert self._session is not None
        id_ = request.match_info["id"]
        is_stripe = id_.startswith("pi_")
        kind = (
            f"{self._stripe_url}/_control/payment_intents"
            if is_stripe
            else f"{self._paypal_url}/_control/orders"
        )
        url = f"{kind}/{quote(id_, safe='')}/authenticate"
        async with self._session.post(url, data=await request.read()) as answer:
            body = await answer.read()
            return web.Response(status=answer.status, body=body, content_type="application/json")

    async def _show_execution(self, request: web.Request) -> web.Response:
        order_id = request.query.get("orderId")
        if order_id is None:
            return web.json_response({"items": await self._executions.recent()})
        execution = await self._executions.of(order_id)
        if execution is None:
            raise Rejected(404, "NOT_FOUND", "There is no execution for this order since the last start.")
        return web.json_response(execution)

    async def _overview(self, _: web.Request) -> web.Response:
        """All that the console shows, in one answer."""
        mails, orders, executions, queues, payments, faults = await asyncio.gather(
            asyncio.to_thread(self._mails.to, None, 50),
            asyncio.to_thread(self._orders.recent),
            self._executions.recent(),
            self._queues.all(),
            self._payments(),
            self._faults.pending(),
        )
        by_order = {execution["orderId"]: execution for execution in executions}
        return web.json_response(
            {
                "mails": [{**mail.json(), "html": None, "text": None} for mail in mails],
                "orders": [{**order, "execution": by_order.get(order["orderId"])} for order in orders],
                "states": self._executions.states,
                "queues": queues,
                "functions": self._host.snapshot(),
                "payments": payments,
                "faults": faults,
            }
        )

    async def _payments(self) -> list[dict[str, Any]]:
        assert self._session is not None
        items: list[dict[str, Any]] = []
        for provider, path in ((self._stripe_url, "payment_intents"), (self._paypal_url, "orders")):
            async with self._session.get(f"{provider}/_control/{path}") as answer:
                items += (await answer.json())["items"]
        return sorted(items, key=lambda item: -int(item["created"]))

    async def _list_faults(self, _: web.Request) -> web.Response:
        return web.json_response(await self._faults.pending())

    async def _replace_faults(self, request: web.Request) -> web.Response:
        await self._faults.replace(await _json_of(request))
        return web.json_response(await self._faults.pending())

    async def _add_faults(self, request: web.Request) -> web.Response:
        await self._faults.add(await _json_of(request))
        return web.json_response(await self._faults.pending())

    async def _list_strokes(self, _: web.Request) -> web.Response:
        return web.json_response(self._faults.strokes())

    async def _list_queues(self, _: web.Request) -> web.Response:
        return web.json_response(await self._queues.all())

    async def _release_messages(self, request: web.Request) -> web.Response:
        """Let the queues' visibility time-outs and delays be over for every message that no consumer holds."""
        return web.json_response(
            {"released": await self._consumers.release(put_off="abandoned" not in request.query)}
        )

    async def _clear_faults(self, _: web.Request) -> web.Response:
        await self._faults.replace([])
        return web.Response(status=204)


def _guarded(handler: Handler) -> Handler:
    """Errors in the shape that the whole API has."""

    async def guarded(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except Rejected as rejected:
            return web.json_response(rejected.json(), status=rejected.status)
        except (aiohttp.ClientError, TimeoutError) as broken:
            trouble = Rejected(
                503, "SERVICE_UNAVAILABLE", f"A part of the laptop cloud does not answer: {broken}"
            )
            return web.json_response(trouble.json(), status=trouble.status)

    return guarded


async def _json_of(request: web.Request) -> object:
    try:
        return await request.json()
    except ValueError:
        raise Rejected(400, "VALIDATION_ERROR", "The body is not JSON.") from None


async def _unknown(request: web.Request) -> web.StreamResponse:
    raise Rejected(404, "NOT_FOUND", f"There is no {request.method} {request.path}.")


async def _to_console(_: web.Request) -> web.StreamResponse:
    raise web.HTTPFound("/_local/")


def _page(name: str) -> Handler:
    async def page(_: web.Request) -> web.StreamResponse:
        return web.FileResponse(_PAGES / f"{name}.html", headers={"Cache-Control": "no-store"})

    return page
