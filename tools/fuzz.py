"""Ask the running API what nobody would think of, and hold every answer against its document: `make fuzz`.

Schemathesis makes the requests from the document (examples, values at and beyond the limits of each schema, chains
along the links) as each role; an answer that the document does not know, or a 5xx, is a failure.
"""

import argparse
import json
import subprocess
import sys
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PASSWORD = "Correct-Horse-7"  # noqa: S105  # of the demo's people
ROLES = ("nobody", "attendee", "organizer", "admin")
PHASES = "examples,coverage,fuzzing,stateful"
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "missing_required_header",
    "ignored_auth",
    "use_after_free",
    "ensure_resource_availability",
)
# Not asked: it would end the session of the one who asks.
EXCLUDED = ("logout",)


def fuzz(
    url: str, role: str, *, seed: int, examples: int, phases: str = PHASES, seconds: int | None = None
) -> tuple[bool, str]:
    """Whether every answer that `role` got is in the document, and Schemathesis's report.

    Args:
        role: one of ROLES; the demo's person of that role asks.
        examples: requests per operation, at most.
        seconds: after which the run is ended, as a failure; None for no limit.
    """
    command = [str(Path(sys.executable).with_name("schemathesis")), "--no-color", "run"]
    command += [f"{url}/api/openapi.json", "--seed", str(seed), "--max-examples", str(examples)]
    command += ["--phases", phases, "--checks", ",".join(CHECKS), "--continue-on-failure", "--no-shrink"]
    command += ["--generation-database", "none", "--suppress-health-check", "all", "--warnings", "off"]
    command += ["--request-timeout", "40"]
    for operation in EXCLUDED:
        command += ["--exclude-operation-id", operation]
    if role != "nobody":
        command += ["--header", f"Authorization: Bearer {_token(url, role)}"]
    done = subprocess.run(  # noqa: S603
        command, cwd=ROOT, capture_output=True, text=True, timeout=seconds, check=False
    )
    return done.returncode == 0, done.stdout + done.stderr


def _token(url: str, role: str) -> str:
    body = json.dumps({"email": f"{role}@example.com", "password": PASSWORD}).encode()
    request = urllib.request.Request(  # noqa: S310
        f"{url}/api/auth/login", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        return str(json.load(answer)["accessToken"])


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--examples", type=int, default=20, help="requests per operation")
    parser.add_argument("--roles", default=",".join(ROLES))
    given = parser.parse_args()
    failed = False
    for role in given.roles.split(","):
        held, report = fuzz(given.url, role, seed=given.seed, examples=given.examples)
        sys.stdout.write(f"{role}: {'every answer is in the document' if held else report}\n")
        sys.stdout.flush()
        failed |= not held
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
