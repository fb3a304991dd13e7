"""Run the auditor by hand, and print what it found.

`python -m tools.audit --laptop http://127.0.0.1:8080` (`make audit`) on the laptop, `python -m tools.audit --stage dev`
on AWS. Exits with 1 if an invariant is broken, with 2 if the auditor did not answer, or could not read everything.

What is printed is no personal data: ids, amounts and states.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

import boto3
import urllib3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

READ_SECONDS = 900
WHOLE_HISTORY_DAYS = 36_500


Given = dict[str, float]
Report = dict[str, Any]


class NoAnswer(Exception):
    """The auditor did not run to its end; the message says why."""


def on_aws(stage: str, region: str | None, given: Given) -> Report:
    """The report of a stage's auditor."""
    name = f"box-office-{stage}-platform-job-audit"
    # On its way a connection on which nothing is said for minutes may be forgotten.
    config = Config(read_timeout=READ_SECONDS, retries={"total_max_attempts": 1}, tcp_keepalive=True)
    try:
        client = boto3.client("lambda", region_name=region, config=config)
        answer = client.invoke(FunctionName=name, Qualifier="live", Payload=json.dumps(given).encode())
    except (BotoCoreError, ClientError) as broken:
        raise NoAnswer(str(broken)) from broken
    report: Report = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise NoAnswer(f"{name} failed: {report.get('errorType')} {report.get('errorMessage')}")
    return report


def on_a_laptop(url: str, given: Given) -> Report:
    """The report of the auditor of the laptop cloud that serves there."""
    try:
        answer = urllib3.request(
            "POST", f"{url}/_local/audit", json=given, timeout=READ_SECONDS, retries=False
        )
    except urllib3.exceptions.HTTPError as broken:
        raise NoAnswer(f"nothing answers at {url}: {type(broken).__name__}") from broken
    if answer.status != 200:
        raise NoAnswer(f"{url} answered {answer.status}: {answer.data.decode(errors='replace')[:300]}")
    return dict(answer.json())


def lines(report: Report) -> list[str]:
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
    given: Given = {"windowDays": options.days}
    if options.at_rest is not None:
        given["atRestSeconds"] = options.at_rest
    try:
        if options.laptop is None:
            report = on_aws(options.stage, options.region, given)
        else:
            report = on_a_laptop(options.laptop, given)
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


def _options(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tools.audit", description="Check that every invariant holds."
    )
    parser.add_argument("--stage", default="dev")
    parser.add_argument("--region", default=None)
    parser.add_argument("--laptop", default=None, metavar="URL", help="the laptop cloud that serves there")
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
