"""After a deployment: have the stage's canary buy a free ticket at the public address, and wait for what it says.

`python -m tools.synthetic_check --stage staging`. Exits with 1 if it has no ticket, with 2 if nobody answered.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

READ_SECONDS = 150
TRIES = 3
PAUSE_SECONDS = 20


class NoAnswer(Exception):
    """The canary did not run to its end; the message says why."""


def ask(client: Any, stage: str) -> dict[str, Any]:
    """What the canary says: whether it has its ticket, and if not, where it stopped and why. Raises NoAnswer."""
    name = f"box-office-{stage}-platform-job-buy-free-ticket"
    try:
        answer = client.invoke(FunctionName=name, Qualifier="live", Payload=b"{}")
    except (BotoCoreError, ClientError) as broken:
        raise NoAnswer(str(broken)) from broken
    said: dict[str, Any] = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise NoAnswer(f"{name} failed: {said.get('errorType')} {said.get('errorMessage')}")
    return said


def check(client: Any, stage: str, pause: float = PAUSE_SECONDS) -> int:
    """Ask until it has a ticket, at most TRIES times, for one may meet a cold start; the exit code."""
    code = 2
    for left in reversed(range(TRIES)):
        try:
            said = ask(client, stage)
        except NoAnswer as why:
            code = 2
            print(f"the canary did not answer: {why}", file=sys.stderr)
        else:
            if said.get("succeeded") is True:
                print("the canary has its ticket")
                return 0
            code = 1
            print(f"no ticket: stopped at {said.get('step')}: {said.get('reason')}", file=sys.stderr)
        if left:
            time.sleep(pause)
    return code


def main(words: Sequence[str] | None = None) -> int:
    """Run it; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.synthetic_check", description="Have the stage's canary buy a free ticket."
    )
    parser.add_argument("--stage", required=True)
    parser.add_argument("--region", default=None)
    options = parser.parse_args(words)
    config = Config(read_timeout=READ_SECONDS, retries={"total_max_attempts": 1})
    return check(boto3.client("lambda", region_name=options.region, config=config), options.stage)


if __name__ == "__main__":
    sys.exit(main())
