"""The parent of all Lambda processes: imports the third-party layer once, then forks a process per request.

Run as a script by `local.workers`, in a session of its own. Reads a JSON line per process to start from standard
input, writes a JSON line for each process started or ended to standard output; the end of its input ends it and them.
The real runtime client (`awslambdaric`) is imported after the fork: its C++ part reads the environment on import.
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import json
import os
import selectors
import signal
import sys
import time
from pathlib import Path
from typing import Any

TELL = os.fdopen(os.dup(1), "w")
"""The pipe to the Lambda host; standard output itself goes to standard error, so that no import can write into it."""


SERVICES = ("sns", "sqs", "stepfunctions", "sesv2")


def preload(modules: list[str]) -> None:
    """Import what most functions import. One that is not installed, or does not load, costs time and not the start."""
    for module in modules:
        try:
            importlib.import_module(module)
        except Exception as error:  # noqa: BLE001  # whatever an import may raise
            print(f"not preloaded: {module}: {error!r}", file=sys.stderr)


def learn_services() -> None:
    """Let boto3 read AWS's descriptions of the services once: 30 ms that each process would spend on its own.

    Clients that a function makes later share them, and take everything else from their own environment.
    """
    try:
        import boto3
    except ImportError:
        return
    os.environ.update(AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull)
    for service in SERVICES:
        boto3.client(service, region_name="us-east-1", aws_access_key_id="none", aws_secret_access_key="none")


def beside(name: str) -> Any:
    """A module from this script's folder, which is not on the path: functions are to find their own code only."""
    specification = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


FAULT_POINTS = beside("fault_points")


def become_function(order: dict[str, Any]) -> None:
    """Turn this forked process into a Lambda runtime. Does not return."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    TELL.close()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.environ.clear()
    os.environ.update(order["environment"])
    time.tzset()
    os.chdir(order["paths"][0])
    sys.path[:0] = order["paths"]
    sys.pycache_prefix = order["pycache"]
    from awslambdaric import bootstrap
    from awslambdaric.lambda_runtime_client import LambdaRuntimeClient

    address = order["environment"]["AWS_LAMBDA_RUNTIME_API"]
    bootstrap.run(order["handler"], FAULT_POINTS.runtime_client(LambdaRuntimeClient, address))


def tell(message: dict[str, object]) -> None:
    """Write one message to the host."""
    TELL.write(json.dumps(message) + "\n")
    TELL.flush()


def fork(order: dict[str, Any], children: dict[int, int]) -> None:
    """Start one process."""
    pid = os.fork()
    if pid == 0:
        try:
            become_function(order)
        except SystemExit as end:
            os._exit(end.code if isinstance(end.code, int) else 1)
        except BaseException:  # noqa: BLE001  # the last line of a process
            import traceback

            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    children[pid] = order["id"]
    tell({"started": order["id"], "pid": pid})


def reap(children: dict[int, int]) -> None:
    """Collect the processes that have ended and tell how."""
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        tell({"ended": children.pop(pid), "status": os.waitstatus_to_exitcode(status)})


def main() -> None:
    """Preload, then fork on request until the input ends."""
    os.dup2(2, 1)
    modules = sys.argv[1].split(",")
    preload(modules)
    if "boto3" in modules:
        learn_services()
    gc.collect()
    gc.freeze()
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_read, False)
    os.set_blocking(wake_write, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    children: dict[int, int] = {}
    selector = selectors.DefaultSelector()
    selector.register(0, selectors.EVENT_READ)
    selector.register(wake_read, selectors.EVENT_READ)
    tell({"ready": os.getpid()})
    pending = b""
    while True:
        for key, _ in selector.select():
            if key.fd == wake_read:
                os.read(wake_read, 4096)
                continue
            data = os.read(0, 65536)
            if not data:
                for pid in children:
                    os.kill(pid, signal.SIGKILL)
                for pid in children:
                    os.waitpid(pid, 0)
                return
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                fork(json.loads(line), children)
        reap(children)


if __name__ == "__main__":
    main()
