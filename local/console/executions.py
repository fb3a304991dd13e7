"""The purchase's state machine as the console and the tests see it: executions, their histories, where they are."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from local.assembly import Assembly
from local.cloud import Cloud
from local.resources import ACCOUNT, REGION

_SHOWN = 50
_ID_LENGTH = 36


class Executions:
    """Executions since the last start of the AWS emulation, named after their orders; of each order the last run."""

    def __init__(self, aws_url: str, assembly: Assembly) -> None:
        self._cloud = Cloud(aws_url)
        machine = assembly.state_machines[0]
        self._name = machine.name
        self.states = _tasks(json.loads(machine.definition))

    async def recent(self) -> list[dict[str, Any]]:
        """The newest executions: order, status, times, and the state that each is in or ended with."""
        return [await self._summary(row) for row in (await self._last_runs())[:_SHOWN]]

    async def of(self, order_id: str) -> dict[str, Any] | None:
        """An order's execution with its whole history, or None."""
        runs = [row for row in await self._last_runs() if _order(row) == order_id]
        if not runs:
            return None
        arn = runs[0]["executionArn"]
        described = await self._cloud.call("states", "DescribeExecution", {"executionArn": arn})
        events = await self._events(arn)
        return {
            **_summarized(described, events),
            "executionArn": arn,
            "input": _parsed(described.get("input")),
            "output": _parsed(described.get("output")),
            "error": described.get("error"),
            "cause": described.get("cause"),
            "events": [_event(event) for event in events],
        }

    async def close(self) -> None:
        """Close the connections."""
        await self._cloud.close()

    async def _last_runs(self) -> list[Mapping[str, Any]]:
        """The newest first."""
        arn = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{self._name}"
        rows: list[Mapping[str, Any]] = []
        token: dict[str, str] = {}
        while True:
            page = await self._cloud.call("states", "ListExecutions", {"stateMachineArn": arn, **token})
            rows += page["executions"]
            if not page.get("nextToken"):
                break
            token = {"nextToken": page["nextToken"]}
        last = {_order(row): row for row in sorted(rows, key=lambda row: float(row["startDate"]))}
        return sorted(last.values(), key=lambda row: float(row["startDate"]), reverse=True)

    async def _summary(self, row: Mapping[str, Any]) -> dict[str, Any]:
        return _summarized(row, await self._events(row["executionArn"]))

    async def _events(self, arn: str) -> list[Mapping[str, Any]]:
        parameters = {"executionArn": arn, "maxResults": 1000, "includeExecutionData": True}
        answer = await self._cloud.call("states", "GetExecutionHistory", parameters)
        events: list[Mapping[str, Any]] = answer["events"]
        return events


def _order(row: Mapping[str, Any]) -> str:
    return str(row["name"])[:_ID_LENGTH]


def _tasks(definition: Mapping[str, Any]) -> list[str]:
    """The names of the states that do something, as they are met on the way from the start."""
    states, met = definition["States"], [definition["StartAt"]]
    for name in met:
        state = states[name]
        branches = [*state.get("Choices", []), {"Next": state.get("Default")}, state, *state.get("Catch", [])]
        met += dict.fromkeys(branch["Next"] for branch in branches if branch.get("Next") not in (None, *met))
    return [name for name in met if states[name]["Type"] == "Task"]


def _summarized(row: Mapping[str, Any], events: list[Mapping[str, Any]]) -> dict[str, Any]:
    path = [
        event["stateEnteredEventDetails"]["name"] for event in events if "stateEnteredEventDetails" in event
    ]
    return {
        "orderId": _order(row),
        "name": row["name"],
        "status": row["status"],
        "startedAt": _time(row.get("startDate")),
        "stoppedAt": _time(row.get("stopDate")),
        "currentState": path[-1] if path else None,
        "path": path,
    }


def _event(event: Mapping[str, Any]) -> dict[str, Any]:
    details: Mapping[str, Any] = next(
        (value for name, value in event.items() if name.endswith("Details")), {}
    )
    return {
        "id": event["id"],
        "type": event["type"],
        "timestamp": _time(event["timestamp"]),
        "state": details.get("name"),
        "details": {name: _parsed(value) for name, value in details.items()},
    }


def _time(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return (
        datetime.fromtimestamp(float(seconds), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )


def _parsed(value: Any) -> Any:
    """JSON that Step Functions carries as text."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value
