"""Faults for functions, queues, the simulated payment providers and the mail provider, ordered in one place."""

import uuid
from datetime import UTC, datetime
from typing import Any

import aiohttp

from local import sendgrid_simulator
from local.assembly import Assembly
from local.faults import Fault, FaultError
from local.lambdas import LambdaHost
from local.queues import fault_target
from local.servers import Servers

_STRIPE, _PAYPAL, _SES, _SENDGRID = "stripe", "paypal", "ses", "sendgrid"


class Rejected(Exception):
    """A request that `/_local/` refuses, in the words and the shape of the API's errors."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    def json(self) -> dict[str, Any]:
        """The error's body."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        error = {"code": self.code, "message": self.message, "details": []}
        return {"error": {**error, "timestamp": now, "requestId": str(uuid.uuid4())}}


class FaultBoard:
    """Hands each fault to whoever has to misbehave. Set `session` before use."""

    session: aiohttp.ClientSession

    def __init__(self, host: LambdaHost, assembly: Assembly, servers: Servers) -> None:
        self._host = host
        self._functions = tuple(assembly.functions)
        self._queues = tuple(fault_target(source.queue) for source in assembly.event_sources)
        self._providers = {
            _STRIPE: f"{servers.stripe_url}/_control/faults",
            _PAYPAL: f"{servers.paypal_url}/_control/faults",
            _SES: f"{servers.aws_url}/_local/faults",
            _SENDGRID: f"{servers.aws_url}{sendgrid_simulator.FAULTS_PATH}",
        }

    async def pending(self) -> list[dict[str, Any]]:
        """The faults that are still to happen."""
        pending = [fault.json() for fault in self._host.faults.pending()]
        for target, url in self._providers.items():
            async with self.session.get(url) as answer:
                pending += [{**fault, "target": target} for fault in _items(await answer.json())]
        return pending

    def strokes(self) -> list[dict[str, Any]]:
        """What has become of the faults of functions since they were ordered: each call that one was taken for."""
        return [stroke.json() for stroke in self._host.faults.strokes()]

    async def replace(self, wanted: object) -> None:
        """Take these faults in place of all earlier ones. Raises Rejected; then nothing has changed."""
        faults = self._all_checked(wanted)
        for url in self._providers.values():
            await self.session.delete(url)
        self._host.faults.clear()  # and add, without a call in between that would come through unharmed
        await self._order(faults)

    async def add(self, wanted: object) -> None:
        """Take these faults beside those of other targets. Raises Rejected; then nothing has changed."""
        await self._order(self._all_checked(wanted))

    async def _order(self, faults: list[Fault]) -> None:
        self._host.faults.add([fault for fault in faults if fault.target not in self._providers])
        for target, url in self._providers.items():
            theirs = [fault.json() for fault in faults if fault.target == target]
            if not theirs:
                continue
            async with self.session.put(url, json=theirs) as answer:
                if answer.status >= 400:
                    raise Rejected(400, "VALIDATION_ERROR", await answer.text())

    def _all_checked(self, wanted: object) -> list[Fault]:
        return [self._checked(entry) for entry in (wanted if isinstance(wanted, list) else [wanted])]

    def _checked(self, entry: object) -> Fault:
        try:
            fault = Fault.parse(entry)
        except FaultError as error:
            raise Rejected(400, "VALIDATION_ERROR", str(error)) from error
        known = fault.target in self._providers or any(
            name.endswith(fault.target) for name in (*self._functions, *self._queues)
        )
        if not known:
            providers = ", ".join(self._providers)
            message = (
                f"{fault.target} is neither a function nor a queue of the template, nor one of {providers}."
            )
            raise Rejected(400, "VALIDATION_ERROR", message)
        if fault.target in self._providers and fault.is_for_functions:
            raise Rejected(400, "VALIDATION_ERROR", f"{fault.target} is not a function: it has no points.")
        return fault


def _items(answer: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = answer["items"] if isinstance(answer, dict) else answer
    return items
