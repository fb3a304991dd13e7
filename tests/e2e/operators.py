"""What an operator does at a laptop cloud: `aws lambda invoke`, and looking after the servers."""

import json
from typing import Any

import psutil
import urllib3

from local.permissions.grants import OPERATOR
from tests.e2e.laptop import Laptop

SIGNED = {"Authorization": f"AWS4-HMAC-SHA256 Credential={OPERATOR}/20260101/us-east-1/lambda/aws4_request"}


def invoke(laptop: Laptop, function: str, payload: dict[str, Any]) -> tuple[str | None, Any]:
    """Run a job by hand, as `aws lambda invoke` does; the kind of its error, if it raised one, and what it answered."""
    port = json.loads((laptop.state / "ports.json").read_text())["lambda"]
    url = f"http://127.0.0.1:{port}/2015-03-31/functions/box-office-dev-{function}/invocations"
    answer = urllib3.request("POST", url, body=json.dumps(payload), headers=SIGNED, timeout=60)
    assert answer.status == 200, answer.data
    return answer.headers.get("X-Amz-Function-Error"), json.loads(answer.data)


def valkey_of(laptop: Laptop) -> psutil.Process | None:
    """The laptop's Valkey, while it runs."""
    port = json.loads((laptop.state / "ports.json").read_text())["valkey"]
    listening = psutil.net_connections("tcp")
    pid = next((c.pid for c in listening if c.status == "LISTEN" and c.laddr.port == port), None)
    return psutil.Process(pid) if pid else None
