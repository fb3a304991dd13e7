"""AWS on this machine: moto's SQS, SNS, S3, SES, SSM, Secrets Manager and Step Functions, as one process.

`python -m local.aws --port 9001 --lambda-host 127.0.0.1:9004 --mails .state/mails`

Step Functions really run; their Lambda tasks go to the Lambda host. Mail is written to files, and beside them messages
to a journal (`queues.sqlite3`) and objects to `buckets`, which outlive the process; all else is memory. With
`--permissions`, each call is held to the policies of the template. `local.aws_*` hold what moto lacks for that.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import NoReturn

from local.aws_server import AwsServer
from local.faults import Faults
from local.permissions.gate import Gate
from local.permissions.grants import Grants
from local.resources import ACCOUNT, REGION
from local.sendgrid_simulator import SendGrid


def main() -> None:
    """Serve until a signal ends the process."""
    arguments = _arguments()
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    os.environ.update(
        MOTO_ACCOUNT_ID=ACCOUNT,
        MOTO_PORT=str(arguments.port),
        AWS_DEFAULT_REGION=REGION,
        AWS_ACCESS_KEY_ID="local",
        AWS_SECRET_ACCESS_KEY="local",
        MOTO_DISABLE_GLOBAL_CORS="1",  # a bucket has rules of its own
    )
    # moto reads the variables above when it is imported
    from moto.core.config import default_user_config
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    from local import (
        aws_bucket_files,
        aws_mails,
        aws_permissions,
        aws_queue_journal,
        aws_queues,
        aws_secrets,
        aws_speed,
        aws_stepfunctions,
        aws_uploads,
    )

    default_user_config["stepfunctions"] = {"execute_state_machine": True}
    faults = Faults()
    aws_mails.install(arguments.mails, faults)
    aws_queues.install()
    aws_queue_journal.install(arguments.mails.parent / "queues.sqlite3")
    aws_secrets.install()
    aws_bucket_files.install(arguments.mails.parent / "buckets")
    door = None
    if arguments.permissions is not None:
        gate = Gate(Grants.load(arguments.permissions), arguments.denied)
        aws_permissions.install(gate)
        door = aws_permissions.Door(gate)
    aws_uploads.install(door)
    aws_speed.install()
    aws_stepfunctions.install(arguments.lambda_host)
    sendgrid = SendGrid(arguments.mails, Faults())
    app = DomainDispatcherApplication(create_backend_app)
    server = AwsServer(arguments.port, app, faults, sendgrid, aws_queues.release, door)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    print("ready", flush=True)
    server.serve_forever(poll_interval=3600)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m local.aws", description="AWS for one developer's machine"
    )
    parser.add_argument("--port", type=int, required=True, help="where to listen on the loopback address")
    parser.add_argument("--lambda-host", required=True, help="host:port of the Lambda Invoke API")
    parser.add_argument("--mails", type=Path, required=True, help="the folder that takes each mail as a file")
    parser.add_argument(
        "--permissions", type=Path, help="who may do what (local.permissions); without it, everybody"
    )
    parser.add_argument(
        "--denied", type=Path, default=Path(os.devnull), help="the file that records what was denied"
    )
    return parser.parse_args()


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    # nothing in here outlives the process, and its threads may wait for hours
    os._exit(0)


if __name__ == "__main__":
    main()
