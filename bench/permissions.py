"""What deciding about AWS calls costs a purchase on the laptop: `python -m bench.permissions CDK_OUT`.

The calls that the functions of one purchase make, and the reads of every queue, as they come over the wire, each
decided by the policies of a synthesized template. CPU time of the emulator's process; what the calls themselves cost is
not counted.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from urllib.parse import urlencode

from local.assembly import Assembly
from local.aws_permissions import Door
from local.permissions.calls import Call
from local.permissions.gate import Gate
from local.permissions.grants import access_key, function_caller, role_caller
from local.resources import ACCOUNT, REGION, Address, Places

PREFIX = "box-office-dev"
ROUNDS = 2000
MESSAGE = json.dumps({"id": "0" * 36, "type": "tickets.order_issued.v1", "data": {"text": "x" * 600}})
PLACES = Places(
    "http://127.0.0.1:8080", "http://127.0.0.1:9001", Address("127.0.0.1", 1), Address("127.0.0.1", 1)
)


def calls(assembly: Assembly) -> list[Call]:
    """Those of one purchase, signed by who makes them."""
    made = [
        _json(assembly, "tickets-purchase", "states", "AWSStepFunctions.StartExecution", _machine(assembly)),
        _json(
            assembly, "payments-saga-charge", "states", "AWSStepFunctions.SendTaskSuccess", {"taskToken": "t"}
        ),
        _json(assembly, "tickets-saga-notify", "sqs", "AmazonSQS.SendMessageBatch", _batch("mail")),
    ]
    made += [
        _publish(assembly, "tickets-saga-issue", "tickets"),
        _publish(assembly, "tickets-saga-issue", "tickets"),
    ]
    made += [_publish(assembly, "payments-saga-charge", "payments")] * 2
    for mapping in assembly.event_sources:
        role = role_caller(assembly.functions[mapping.function].role)
        for action in ("ReceiveMessage", "DeleteMessageBatch"):
            made.append(_signed(access_key(role), "sqs", f"AmazonSQS.{action}", _batch_of(mapping.queue)))
    return made


def _machine(assembly: Assembly) -> dict[str, str]:
    return {"stateMachineArn": assembly.grants.machines[0], "name": "n", "input": MESSAGE}


def _batch(queue: str) -> dict[str, object]:
    return _batch_of(f"{PREFIX}-{queue}")


def _batch_of(queue: str) -> dict[str, object]:
    return {
        "QueueUrl": f"{PLACES.aws_url}/{ACCOUNT}/{queue}",
        "Entries": [{"Id": "0", "MessageBody": MESSAGE}],
    }


def _key(assembly: Assembly, name: str) -> str:
    function = assembly.functions[f"{PREFIX}-{name}"]
    return access_key(function_caller(function.name, function.role))


def _json(assembly: Assembly, name: str, service: str, target: str, given: object) -> Call:
    return _signed(_key(assembly, name), service, target, given)


def _signed(key: str, service: str, target: str, given: object) -> Call:
    return Call("POST", "/", _headers(key, service) | {"x-amz-target": target}, json.dumps(given).encode())


def _publish(assembly: Assembly, name: str, service: str) -> Call:
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:{PREFIX}-{service}"
    body = urlencode({"Action": "PublishBatch", "TopicArn": topic, "Entries.1.Message": MESSAGE})
    return Call("POST", "/", _headers(_key(assembly, name), "sns"), body.encode())


def _headers(key: str, service: str) -> dict[str, str]:
    scope = f"{key}/20260101/{REGION}/{service}/aws4_request"
    return {"authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=x"}


def main() -> None:
    """Print it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("assembly", type=Path, help="a cloud assembly, e.g. .state/cdk.out")
    assembly = Assembly.read(parser.parse_args().assembly, PLACES)
    started = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        door = Door(Gate(assembly.grants, Path(folder) / "denied.jsonl"))
        read = time.process_time() - started
        made = calls(assembly)
        started = time.process_time()
        for _ in range(ROUNDS):
            for call in made:
                if refusal := door.refusal(call):
                    raise SystemExit(f"denied: {refusal.body.decode()}")
        spent = (time.process_time() - started) / ROUNDS
    print(f"policies read            {1000 * read:7.0f} ms, once")
    print(f"one call decided         {1e6 * spent / len(made):7.1f} µs")
    print(f"a purchase, {len(made)} calls    {1000 * spent:7.2f} ms")


if __name__ == "__main__":
    main()
