"""Run the auditor by hand, and print what it found.

`python -m tools.audit --laptop .state` (`make audit`) on the laptop, `python -m tools.audit --stage dev` on AWS. Exits
with 1 if an invariant is broken, with 2 if the auditor did not answer, or could not read everything.

What is printed is no personal data: ids, amounts and states.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

READ_SECONDS = 900
WHOLE_HISTORY_DAYS = 36_500


class NoAnswer(Exception):
    """The auditor did not run to its end; the message says why."""


def run(client: Any, stage: str, given: dict[str, float]) -> dict[str, Any]:
    """Invoke the auditor and wait for its report."""
    name = f"box-office-{stage}-platform-job-audit"
    try:
        answer = client.invoke(FunctionName=name, Payload=json.dumps(given).encode())
    except (BotoCoreError, ClientError) as broken:
        raise NoAnswer(str(broken)) from broken
    report: dict[str, Any] = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise NoAnswer(f"{name} failed: {report.get('errorType')} {report.get('errorMessage')}")
    return report


def lines(report: dict[str, Any]) -> list[str]:
    """The report as a person reads it."""
    checked, findings = report["checked"], report["findings"]
    looked = (
        f"{checked.get('orders', 0)} orders, {checked.get('tickets', 0)} tickets, "
        f"{checked.get('payments', 0)} payments checked"
    )
    if not checked["complete"]:
        looked += "; not everything could be read, see the function's log"
    if not findings:
        return [f"every invariant holds: {looked}"]
    shown = [_line(finding) for finding in findings]
    if (more := checked["findings"] - len(findings)) > 0:
        shown.append(f"… and {more} more")
    return [*shown, f"{checked['findings']} findings: {looked}"]


def main(words: Sequence[str] | None = None) -> int:
    """Run it and print; the exit code."""
    options = _options(words)
    given = (
        {"windowDays": options.days}
        if options.at_rest is None
        else {
            "windowDays": options.days,
            "atRestSeconds": options.at_rest,
        }
    )
    try:
        report = run(_client(options), options.stage, given)
    except NoAnswer as why:
        print(f"the auditor did not answer: {why}", file=sys.stderr)
        return 2
    print("\n".join(lines(report)))
    if report["findings"]:
        return 1
    return 0 if report["checked"]["complete"] else 2


def _line(finding: dict[str, Any]) -> str:
    ids = "  ".join(f"{name}={value}" for name, value in finding["ids"].items())
    return f"{finding['invariant']:<8} {finding['what']}\n         {ids}"


def _client(options: argparse.Namespace) -> Any:
    config = Config(read_timeout=READ_SECONDS, retries={"total_max_attempts": 1})
    if options.laptop is None:
        return boto3.client("lambda", region_name=options.region, config=config)
    port = json.loads((options.laptop / "ports.json").read_text())["lambda"]
    return boto3.client(
        "lambda",
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",  # noqa: S106  # the laptop's
        config=config,
    )


def _options(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tools.audit", description="Check that every invariant holds."
    )
    parser.add_argument("--stage", default="dev")
    parser.add_argument("--region", default=None)
    parser.add_argument(
        "--laptop", type=Path, default=None, metavar="STATE", help="the laptop cloud of this folder"
    )
    parser.add_argument(
        "--at-rest",
        type=float,
        default=None,
        metavar="SECONDS",
        help="judge what has not changed for so long",
    )
    parser.add_argument(
        "--days",
        type=float,
        default=WHOLE_HISTORY_DAYS,
        help="look at what changed within so many days (all)",
    )
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main())
