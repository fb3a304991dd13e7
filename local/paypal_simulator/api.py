"""`/v1/…` and `/v2/…`: access tokens, request ids, faults and errors around every operation of PayPal's API."""

import base64
import binascii
import hashlib
import hmac
import json
import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from local.paypal_simulator import disputes, errors, orders, payments, transactions
from local.paypal_simulator.calls import Call
from local.paypal_simulator.certificates import NAME, Signer
from local.paypal_simulator.errors import Refusal
from local.simulation import faults, transport
from local.simulation.json import Json
from local.simulation.store import Store

log = logging.getLogger("paypal-simulator")

# https://developer.paypal.com/api/rest/reference/idempotency/
KEYS_KEPT_SECONDS = 6 * 3600
_TOKEN_SECONDS = 32_400

Work = Callable[[Call, str, Any], Json | None]


@dataclass(frozen=True)
class Operation:
    """One endpoint; `work` gets the id from the URL and the body (or the query); `status` is of its first answer."""

    name: str
    method: str
    path: re.Pattern[str]
    work: Work
    status: int = 200


def _operation(name: str, method: str, path: str, work: Work, status: int = 200) -> Operation:
    return Operation(name, method, re.compile(path.replace("{id}", "(?P<id>[A-Za-z0-9_-]+)")), work, status)


OPERATIONS = (
    _operation("orders.create", "POST", "/v2/checkout/orders", orders.create, 201),
    _operation("orders.get", "GET", "/v2/checkout/orders/{id}", orders.retrieve),
    _operation("orders.patch", "PATCH", "/v2/checkout/orders/{id}", orders.patch, 204),
    _operation("orders.capture", "POST", "/v2/checkout/orders/{id}/capture", orders.capture, 201),
    _operation("captures.get", "GET", "/v2/payments/captures/{id}", payments.get_capture),
    _operation("captures.refund", "POST", "/v2/payments/captures/{id}/refund", payments.refund, 201),
    _operation("refunds.get", "GET", "/v2/payments/refunds/{id}", payments.get_refund),
    _operation("disputes.get", "GET", "/v1/customer/disputes/{id}", disputes.retrieve),
    _operation("disputes.list", "GET", "/v1/customer/disputes", disputes.search),
    _operation("transactions.list", "GET", "/v1/reporting/transactions", transactions.search),
)


@dataclass(frozen=True)
class Account:
    """The app's credentials, and where its API is."""

    client_id: str
    client_secret: str
    base: str

    def access_token(self, until: int) -> str:
        """A token good until then; whoever knows the secret can tell, so that a restart forgets none."""
        digest = hmac.new(self.client_secret.encode(), str(until).encode(), hashlib.sha256).hexdigest()
        return f"A21AA{until}-{digest}"

    def accepts(self, token: str) -> bool:
        """Whether this is a token of ours that is still good."""
        match = re.fullmatch(r"A21AA(\d{1,12})-[0-9a-f]{64}", token)
        return (
            match is not None
            and int(match[1]) > time.time()
            and hmac.compare_digest(token, self.access_token(int(match[1])))
        )


class Api:
    """The HTTP side; `wake` is called after each request, since it may have left events to deliver."""

    def __init__(self, store: Store, account: Account, signer: Signer, wake: Callable[[], None]) -> None:
        self._store, self._account, self._signer, self._wake = store, account, signer, wake
        self._in_use: set[str] = set()
        store.run(
            "DELETE FROM idempotency_keys WHERE created < :before", before=time.time() - KEYS_KEPT_SECONDS
        )

    def routes(self) -> list[web.RouteDef]:
        """Its addresses."""
        return [
            web.post("/v1/oauth2/token", self._token),
            web.get(f"/v1/notifications/certs/{NAME}", self._certificate),
            web.route("*", "/{path:.*}", self._handle),
        ]

    async def _certificate(self, _: web.Request) -> web.Response:
        return web.Response(text=self._signer.certificate)

    async def _token(self, request: web.Request) -> web.StreamResponse:
        fault = faults.take(self._store, "oauth2.token")
        if await transport.strikes_first(fault):
            return transport.hang_up(request)
        wanted = f"{self._account.client_id}:{self._account.client_secret}"
        if not hmac.compare_digest(_basic(request).encode(), wanted.encode()):
            body = {"error": "invalid_client", "error_description": "Client Authentication failed"}
            return web.json_response(body, status=401)
        if fault and fault.mode == "error":
            return web.json_response(errors.server_error().body(), status=500)
        token = self._account.access_token(int(time.time()) + _TOKEN_SECONDS)
        answer = {"access_token": token, "token_type": "Bearer", "expires_in": _TOKEN_SECONDS, "scope": ""}
        return await transport.deliver(request, fault, web.json_response(answer))

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        key = request.headers.get("PayPal-Request-Id") if request.method == "POST" else None
        try:
            scheme, _, token = request.headers.get("Authorization", "").partition(" ")
            if scheme != "Bearer" or not self._account.accepts(token):
                raise errors.unauthorized()
            operation, identifier = _find(request.method, request.path)
            given = dict(request.query) if request.method == "GET" else await _body(request)
            return await self._under_key(request, operation, identifier, given, key)
        except Refusal as refusal:
            return web.json_response(refusal.body(), status=refusal.status)
        finally:
            self._wake()

    async def _under_key(
        self, request: web.Request, operation: Operation, identifier: str, given: Any, key: str | None
    ) -> web.StreamResponse:
        """The first answer to a request id again, with 200; a refusal is kept for none."""
        if key in self._in_use:
            raise errors.in_progress()
        if key:
            self._in_use.add(key)
        try:
            fault = faults.take(self._store, operation.name)
            if await transport.strikes_first(fault):
                return transport.hang_up(request)
            answer = self._execute(operation, identifier, given, key, request.path, fault)
        finally:
            self._in_use.discard(key or "")
        self._wake()
        return await transport.deliver(request, fault, answer)

    def _execute(
        self,
        operation: Operation,
        identifier: str,
        given: Any,
        key: str | None,
        path: str,
        fault: faults.Fault | None,
    ) -> web.Response:
        fingerprint = hashlib.sha256(json.dumps(given, sort_keys=True).encode()).hexdigest()
        call = Call(self._store, self._account.base)
        try:
            with self._store.transaction():
                if fault and fault.mode == "error":
                    raise errors.server_error()
                replay = self._kept(key, path, fingerprint)
                if replay is not None:
                    return web.json_response(text=replay)
                answer = operation.work(call, identifier, given)
                text = "" if answer is None else json.dumps(answer)
                if key:
                    self._keep(key, path, fingerprint, operation.status, text, call.now)
        except Refusal as refusal:
            return web.json_response(refusal.body(), status=refusal.status)
        except Exception:
            log.exception("%s failed", operation.name)
            return web.json_response(errors.server_error().body(), status=500)
        if answer is None:
            return web.Response(status=operation.status)
        return web.json_response(text=text, status=operation.status)

    def _kept(self, key: str | None, path: str, fingerprint: str) -> str | None:
        row = key and self._store.row("SELECT * FROM idempotency_keys WHERE key = :key", key=key)
        if not row:
            return None
        if (row["path"], row["parameters"]) != (path, fingerprint):
            # PayPal does not say what it does then; a mistake like this is to be seen here.
            raise errors.unprocessable("REQUEST_ID_USED_FOR_ANOTHER_REQUEST")
        return str(row["body"])

    def _keep(self, key: str, path: str, fingerprint: str, status: int, body: str, now: float) -> None:
        self._store.run(
            """INSERT INTO idempotency_keys (key, path, parameters, status, body, request_id, created)
               VALUES (:key, :path, :parameters, :status, :body, '', :now)""",
            key=key,
            path=path,
            parameters=fingerprint,
            status=status,
            body=body,
            now=now,
        )


def _find(method: str, path: str) -> tuple[Operation, str]:
    for operation in OPERATIONS:
        match = operation.path.fullmatch(path) if operation.method == method else None
        if match:
            return operation, match.groupdict().get("id", "")
    raise errors.not_found()


async def _body(request: web.Request) -> Any:
    try:
        return json.loads(await request.text() or "null")
    except ValueError:
        raise errors.invalid("/") from None


def _basic(request: web.Request) -> str:
    scheme, _, presented = request.headers.get("Authorization", "").partition(" ")
    try:
        return base64.b64decode(presented).decode() if scheme == "Basic" else ""
    except (binascii.Error, UnicodeDecodeError):
        return ""
