"""After a start: executions are gone, since the AWS emulation keeps them in memory; so might be messages on their way.

The databases hold all that is needed to go on: recent messages are published again, orders whose execution is gone are
started again, mails not sent yet are sent. The consumers tell duplicates apart by their inbox.
"""

import json
import sys
from typing import Any

from local.assembly import Assembly
from local.lambdas import LambdaHost, TooManyRequests

# What may still have been on its way: longer than the longest wait of a message between two attempts.
_REPUBLISH_SECONDS = 900

# By the end of the function's name, in this order: first what was said, then what was under way.
_JOBS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("-job-sweep-messages", {"republishSeconds": _REPUBLISH_SECONDS}),
    ("-job-sweep-messages", {}),
    ("-tickets-job-resume-purchases", {"olderThanSeconds": 0}),
    ("-notifications-job-resend-mail", {"olderThanSeconds": 0}),
)


async def recover(host: LambdaHost, assembly: Assembly) -> str:
    """Invoke the jobs that bring back what was under way; what came back, in words.

    A job that fails is reported on standard error and left to its schedule.
    """
    handled: dict[str, int] = {}
    for ending, event in _JOBS:
        for name in sorted(name for name in assembly.functions if name.endswith(ending)):
            handled[ending] = handled.get(ending, 0) + await _run(host, name, event)
    messages, purchases, mails = (handled.get(ending, 0) for ending in dict(_JOBS))
    return f"{messages} messages, {purchases} purchases, {mails} mails"


async def _run(host: LambdaHost, name: str, event: dict[str, Any]) -> int:
    try:
        answer = await host.invoke(name, json.dumps(event).encode())
    except TooManyRequests:
        print(f"{name} found no free process; its schedule runs it", file=sys.stderr)
        return 0
    if answer.error:
        print(f"{name} failed: {answer.payload.decode()[:300]}", file=sys.stderr)
        return 0
    done = json.loads(answer.payload)
    if done.get("failed"):
        print(f"{name} could not publish {done['failed']} messages again", file=sys.stderr)
    rest = await _run(host, name, done["next"]) if "next" in done else 0
    return int(done["handled"]) + rest
