"""Calls of the AWS emulator in AWS's JSON protocol, without blocking and without the weight of boto3."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import aiohttp

from local.permissions.grants import OPERATOR
from local.resources import REGION

_TARGET = {
    "sqs": "AmazonSQS",
    "ssm": "AmazonSSM",
    "secretsmanager": "secretsmanager",
    "states": "AWSStepFunctions",
}


RELEASE_PATH = "/_local/queues/release"


class CloudError(Exception):
    """The emulator refused a call; `code` is AWS's error code."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code


class Cloud:
    """A client of the emulator at `url`. Close it after use."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session: aiohttp.ClientSession | None = None

    async def call(
        self,
        service: str,
        action: str,
        parameters: Mapping[str, Any],
        timeout: float = 60,
        key: str = OPERATOR,
    ) -> Any:
        """Call an action by the rights of who has the access key, and return its answer.

        Raises CloudError, and aiohttp's errors if nobody answers.
        """
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        headers = {
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": f"{_TARGET[service]}.{action}",
            "Authorization": f"AWS4-HMAC-SHA256 Credential={key}/20260101/{REGION}/{service}/aws4_request",
        }
        body, limit = json.dumps(parameters), aiohttp.ClientTimeout(total=timeout)
        async with self._session.post(f"{self._url}/", data=body, headers=headers, timeout=limit) as response:
            text = await response.text()
            answer = json.loads(text) if text.startswith("{") else {}
            if response.status >= 400:
                code = str(answer.get("__type", "InternalFailure")).rsplit("#", 1)[-1]
                raise CloudError(
                    response.status, code, answer.get("message") or answer.get("Message") or text[:200]
                )
            return answer

    async def release_messages(self, held: list[str], *, put_off: bool) -> int:
        """Make messages in flight and delayed ones visible, but for these (by id); how many (`local.aws_queues`)."""
        session = self._session or aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        self._session = session
        async with session.post(
            f"{self._url}{RELEASE_PATH}", data=json.dumps({"held": held, "putOff": put_off})
        ) as response:
            response.raise_for_status()
            return int((await response.json())["released"])

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None
