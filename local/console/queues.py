"""How much waits in the queues, for the console."""

import asyncio
from typing import Any

from local.assembly import Assembly
from local.cloud import Cloud
from local.resources import ACCOUNT

_ATTRIBUTES = {
    "waiting": "ApproximateNumberOfMessages",
    "inFlight": "ApproximateNumberOfMessagesNotVisible",
    "delayed": "ApproximateNumberOfMessagesDelayed",
}
_DEAD_LETTERS = "-dead-letters"


class QueueDepths:
    """The queues of the template, each with its dead-letter queue."""

    def __init__(self, aws_url: str, assembly: Assembly) -> None:
        self._url = aws_url
        self._cloud = Cloud(aws_url)
        self._names = sorted(queue.name for queue in assembly.queues)

    async def all(self) -> list[dict[str, Any]]:
        """Each queue's name and how many messages wait, are in flight, are delayed, are dead."""
        depths = dict(zip(self._names, await asyncio.gather(*map(self._depth, self._names)), strict=True))
        return [
            {"name": name, **depths[name], "dead": depths.get(name + _DEAD_LETTERS, {}).get("waiting", 0)}
            for name in self._names
            if not name.endswith(_DEAD_LETTERS)
        ]

    async def close(self) -> None:
        """Close the connections."""
        await self._cloud.close()

    async def _depth(self, name: str) -> dict[str, int]:
        parameters = {
            "QueueUrl": f"{self._url}/{ACCOUNT}/{name}",
            "AttributeNames": list(_ATTRIBUTES.values()),
        }
        answer = await self._cloud.call("sqs", "GetQueueAttributes", parameters)
        return {ours: int(answer["Attributes"][theirs]) for ours, theirs in _ATTRIBUTES.items()}
