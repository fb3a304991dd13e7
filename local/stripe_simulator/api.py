"""`/v1/…`: authentication, idempotency, faults and headers around every operation of Stripe's API."""

import base64
import binascii
import hmac
import json
import logging
import time
from collections.abc import Callable
from urllib.parse import parse_qsl

from aiohttp import web

from local.simulation import faults, transport
from local.stripe_simulator import errors, events, forms, operations
from local.stripe_simulator.calls import Call
from local.stripe_simulator.errors import Refusal
from local.stripe_simulator.idempotency import Answer, Keys, fingerprint
from local.stripe_simulator.ids import Json, new_id
from local.stripe_simulator.operations import Operation
from local.stripe_simulator.store import Store

log = logging.getLogger("stripe-simulator")

# A replay is as likely to be lost on the way as a first answer, but never becomes another answer.
_REPLAY_MODES = tuple(mode for mode in faults.REQUEST_MODES if mode != "error")


class Api:
    """The HTTP side of the simulated API.

    Args:
        secret_key: the account's `sk_test_…`; every other key is refused.
        wake: called after each request, since it may have left events to deliver.
    """

    def __init__(self, store: Store, secret_key: str, wake: Callable[[], None]) -> None:
        self._store = store
        self._secret_key = secret_key
        self._wake = wake
        self._keys = Keys(store)
        self._keys.forget_old(time.time())

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request to `/v1/…`."""
        request_id = new_id("req", 14)
        try:
            _authenticate(request, self._secret_key)
            operation, identifier = operations.find(request.method, request.path)
            values = await _parameters(request)
            key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
            return await self._idempotent(request, operation, identifier, values, key, request_id)
        except Refusal as refusal:
            return _respond(Answer(refusal.status, json.dumps(refusal.body()), request_id), request)
        finally:
            self._wake()

    async def _idempotent(
        self,
        request: web.Request,
        operation: Operation,
        identifier: str,
        values: Json,
        key: str | None,
        request_id: str,
    ) -> web.StreamResponse:
        replay = self._keys.begin(key, request.path, fingerprint(values)) if key else None
        if replay:
            fault = faults.take(self._store, operation.name, _REPLAY_MODES)
            if await transport.strikes_first(fault):
                return transport.hang_up(request)
            return await self._deliver(request, fault, _respond(replay, request, replayed=True))
        try:
            fault = faults.take(self._store, operation.name)
            if await transport.strikes_first(fault):
                return transport.hang_up(request)
            call = Call(self._store, request_id, key)
            answer = self._execute(call, operation, identifier, values, fault, request.path)
        finally:
            if key:
                self._keys.end(key)
        return await self._deliver(request, fault, _respond(answer, request))

    def _execute(
        self,
        call: Call,
        operation: Operation,
        identifier: str,
        values: Json,
        fault: faults.Fault | None,
        path: str,
    ) -> Answer:
        """Do the work and keep its answer for the key, both or neither."""
        request_id = call.request_id or ""
        try:
            with self._store.transaction():
                try:
                    if fault and fault.mode == "error":
                        raise errors.server_error()
                    answer = Answer(200, json.dumps(operation.work(call, identifier, values)), request_id)
                    executed = True
                except Refusal as refusal:
                    # Committed too: a decline leaves a failed charge and an intent that says why.
                    answer = Answer(refusal.status, json.dumps(refusal.body()), request_id)
                    executed = refusal.executed
                if call.idempotency_key and executed:
                    self._keys.keep(call.idempotency_key, path, fingerprint(values), answer, call.now)
            return answer
        except Exception:
            log.exception("%s failed", operation.name)
            return Answer(500, json.dumps(errors.server_error().body()), request_id)

    async def _deliver(
        self, request: web.Request, fault: faults.Fault | None, response: web.Response
    ) -> web.StreamResponse:
        self._wake()
        return await transport.deliver(request, fault, response)


def _authenticate(request: web.Request, secret_key: str) -> None:
    scheme, _, presented = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            presented = base64.b64decode(presented).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            presented = ""
    if not hmac.compare_digest(presented.encode(), secret_key.encode()):
        raise errors.unauthorized(presented)


async def _parameters(request: web.Request) -> Json:
    text = request.query_string if request.method == "GET" else await request.text()
    return forms.parse(parse_qsl(text, keep_blank_values=True))


def _respond(answer: Answer, request: web.Request, *, replayed: bool = False) -> web.Response:
    """The response with Stripe's headers: https://docs.stripe.com/api/request_ids, https://docs.stripe.com/error-low-level."""
    headers = {
        "Request-Id": new_id("req", 14) if replayed else answer.request_id,
        "Stripe-Version": request.headers.get("Stripe-Version", events.API_VERSION),
        "Cache-Control": "no-cache, no-store",
    }
    if key := request.headers.get("Idempotency-Key"):
        headers |= {"Idempotency-Key": key, "Original-Request": answer.request_id}
    if replayed:
        headers["Idempotent-Replayed"] = "true"
    if answer.status == 409:
        headers["Stripe-Should-Retry"] = "true"
    elif answer.status >= 500:
        # The same key would only bring the same answer again.
        headers["Stripe-Should-Retry"] = "false"
    return web.Response(
        text=answer.body, status=answer.status, headers=headers, content_type="application/json"
    )
