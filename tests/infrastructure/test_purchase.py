"""The purchase as the template has it, run by the emulator's Step Functions with scripted tasks: every path of it."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest

from local import ports
from local.assembly import Assembly
from local.resources import Address, Places
from tests.infrastructure import lambda_host
from tests.infrastructure.lambda_host import BROKEN, Answers, ScriptedTasks
from tests.infrastructure.template import ROOT, System

PAID: dict[str, Any] = {"outcome": "paid"}
DECLINED: dict[str, Any] = {"outcome": "declined"}
OVER: dict[str, Any] = {"outcome": "over"}


@dataclass(frozen=True)
class Way:
    """One way through the machine: what tasks answer, and which tasks run then."""

    order: str
    tasks: str
    answers: dict[str, Answers] = field(default_factory=dict)
    wakes: dict[str, Any] | None = None


PATHS = [
    Way("paid", "reserve charge issue notify"),
    Way("gone", "reserve", {"reserve": [{"outcome": "gone"}]}),
    Way("paid-later", "reserve charge await-payment issue notify", {"charge": [DECLINED]}, wakes=PAID),
    Way("not-paid", "reserve charge await-payment cancel-payment release notify", {"charge": [DECLINED]}),
    Way(
        "paid-at-the-last-moment",
        "reserve charge await-payment cancel-payment issue notify",
        {"charge": [{"outcome": "action_required"}], "cancel-payment": [PAID]},
    ),
    Way(
        "event-cancelled",
        "reserve charge issue refund-payment release notify",
        {"issue": [{"outcome": "refused", "reason": "EVENT_CANCELLED"}]},
    ),
    Way(
        "event-cancelled-while-waiting",
        "reserve charge await-payment cancel-payment release notify",
        {"charge": [DECLINED]},
        wakes=OVER,
    ),
    Way(
        "run-again-after-its-refund-began",
        "reserve charge refund-payment release notify",
        {"charge": [{"outcome": "refunded"}]},
    ),
    Way(
        "found-refunded-while-waiting",
        "reserve charge await-payment refund-payment release notify",
        {"charge": [BROKEN]},
        wakes={"outcome": "refunded"},
    ),
    Way("charge-fails-once", "reserve charge issue notify", {"charge": [BROKEN, PAID]}),
    Way("charge-broken", "reserve charge await-payment issue notify", {"charge": [BROKEN]}, wakes=PAID),
    Way("issue-broken", "reserve charge issue refund-payment release notify", {"issue": [BROKEN]}),
    Way("reserve-broken", "reserve cancel-payment release notify", {"reserve": [BROKEN]}),
    Way(
        "run-again-after-it-was-paid-and-reserve-broken",
        "reserve cancel-payment issue notify",
        {"reserve": [BROKEN], "cancel-payment": [PAID]},
    ),
    Way(
        "run-again-after-its-refund-began-and-reserve-broken",
        "reserve cancel-payment refund-payment release notify",
        {"reserve": [BROKEN], "cancel-payment": [{"outcome": "refunded"}]},
    ),
    Way(
        "cancelling-is-hard",
        "reserve charge await-payment cancel-payment release notify",
        {"charge": [DECLINED], "cancel-payment": [BROKEN, BROKEN, BROKEN, BROKEN, {"outcome": "cancelled"}]},
    ),
]


def reservation(order: str) -> dict[str, Any]:
    # Long enough for those who are woken in time, on a slow machine too.
    patience = 30 if next(path for path in PATHS if path.order == order).wakes else 1
    return {"outcome": "bound", "orderId": order, "secondsToPay": patience}


def script(path: Way) -> dict[str, Answers]:
    usual: dict[str, Answers] = {
        "reserve": [reservation(path.order)],
        "charge": [PAID],
        "issue": [{"outcome": "issued"}],
        "cancel-payment": [{"outcome": "cancelled"}],
    }
    return usual | {task: list(answers) for task, answers in path.answers.items()}


def began(order: str) -> dict[str, Any]:
    """What an execution is started with; one of them as before there were correlation ids."""
    return {"orderId": order} | ({} if order == "charge-broken" else {"correlationId": f"request of {order}"})


def definition(system: System) -> str:
    nowhere = Address("127.0.0.1", 1)
    places = Places("http://127.0.0.1:1", "http://127.0.0.1:1", database=nowhere, cache=nowhere)
    (machine,) = Assembly.read(system.folder, places).state_machines
    return machine.definition


@pytest.fixture(scope="module")
def tasks() -> ScriptedTasks:
    return ScriptedTasks()


@pytest.fixture(scope="module")
def steps(tasks: ScriptedTasks, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A Step Functions client of the laptop cloud's emulator, whose Lambda tasks are scripted."""
    port = ports.free_port()
    with lambda_host.running(tasks) as host:
        command = [sys.executable, "-m", "local.aws", "--port", str(port), "--lambda-host", host]
        mails = Path(tmp_path_factory.mktemp("mails"))
        emulator = subprocess.Popen([*command, "--mails", str(mails)], cwd=ROOT, stdout=subprocess.PIPE)
        assert emulator.stdout
        assert emulator.stdout.readline() == b"ready\n"
        try:
            yield boto3.client(
                "stepfunctions",
                endpoint_url=f"http://127.0.0.1:{port}",
                region_name="us-east-1",
                aws_access_key_id="testing",
                aws_secret_access_key="testing",
            )
        finally:
            emulator.kill()
            emulator.wait()


@pytest.fixture(scope="module")
def statuses(system: System, steps: Any, tasks: ScriptedTasks) -> dict[str, str]:
    """How each execution ended; all of them run at once, because most wait."""
    role = "arn:aws:iam::000000000000:role/purchase"
    machine = steps.create_state_machine(name="purchase", definition=definition(system), roleArn=role)
    executions = {}
    for path in PATHS:
        tasks.scripts[path.order] = script(path)
        executions[path.order] = steps.start_execution(
            stateMachineArn=machine["stateMachineArn"],
            name=path.order,
            input=json.dumps(began(path.order)),
        )["executionArn"]
    waking = {path.order: path.wakes for path in PATHS if path.wakes}
    ended: dict[str, str] = {}
    deadline = time.monotonic() + 60
    while len(ended) < len(PATHS) and time.monotonic() < deadline:
        time.sleep(0.1)
        for order in [order for order in waking if tasks.last(order, "await-payment")]:
            steps.send_task_success(
                taskToken=tasks.last(order, "await-payment")["taskToken"],
                output=json.dumps(waking.pop(order)),
            )
        for order in executions.keys() - ended.keys():
            status = steps.describe_execution(executionArn=executions[order])["status"]
            if status != "RUNNING":
                ended[order] = status
    return ended


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.order)
def test_a_purchase_goes_its_way_to_the_end(
    path: Way, statuses: dict[str, str], tasks: ScriptedTasks
) -> None:
    assert tasks.called(path.order) == path.tasks.split()
    assert statuses[path.order] == "SUCCEEDED"


@pytest.mark.usefixtures("statuses")
def test_charge_is_told_what_was_reserved(tasks: ScriptedTasks) -> None:
    told = {"orderId": "paid", "execution": began("paid"), "reservation": reservation("paid")}
    assert tasks.last("paid", "charge") == told


@pytest.mark.usefixtures("statuses")
def test_the_buyer_is_told_how_it_ended(tasks: ScriptedTasks) -> None:
    assert tasks.last("paid", "notify")["outcome"] == "issued"
    assert tasks.last("not-paid", "notify")["outcome"] == "cancelled"


@pytest.mark.usefixtures("statuses")
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.order)
def test_every_task_is_told_what_the_purchase_began_with(path: Way, tasks: ScriptedTasks) -> None:
    for task in path.tasks.split():
        assert tasks.last(path.order, task)["execution"] == began(path.order)


@pytest.mark.usefixtures("statuses")
def test_waiting_begins_with_how_the_charge_ended(tasks: ScriptedTasks) -> None:
    assert tasks.last("paid-later", "await-payment")["outcome"] == "declined"
    assert tasks.last("charge-broken", "await-payment")["outcome"] == "unavailable"


@pytest.mark.usefixtures("statuses")
def test_a_refund_has_the_reason(tasks: ScriptedTasks) -> None:
    assert tasks.last("event-cancelled", "refund-payment")["reason"] == "EVENT_CANCELLED"
    assert tasks.last("issue-broken", "refund-payment")["reason"] == "ISSUE_FAILED"


@pytest.mark.usefixtures("statuses")
def test_a_broken_task_is_tried_four_times_and_a_compensation_for_longer(tasks: ScriptedTasks) -> None:
    assert tasks.tries("charge-broken", "charge") == 4
    assert tasks.tries("cancelling-is-hard", "cancel-payment") == 5


def test_a_task_that_lambda_has_no_room_for_is_not_a_broken_one(system: System) -> None:
    states = json.loads(definition(system))["States"].values()
    for state in [state for state in states if state["Type"] == "Task"]:
        throttled = next(r for r in state["Retry"] if r["ErrorEquals"] == ["Lambda.TooManyRequestsException"])
        assert throttled["MaxAttempts"] == 10, "four tries are for what is broken"


@pytest.mark.usefixtures("statuses")
def test_the_time_to_pay_runs_out_only_once(tasks: ScriptedTasks) -> None:
    assert tasks.tries("not-paid", "await-payment") == 1


def test_every_task_retries_whatever_went_wrong_with_jitter(system: System) -> None:
    states = json.loads(definition(system))["States"].values()
    for state in [state for state in states if state["Type"] == "Task"]:
        retry = state["Retry"][-1]
        assert (retry["ErrorEquals"], retry["IntervalSeconds"], retry["BackoffRate"]) == (
            ["States.ALL"],
            1,
            2,
        )
        assert retry["JitterStrategy"] == "FULL"


def test_compensations_never_give_up_quietly(system: System) -> None:
    states = json.loads(definition(system))["States"]
    for name in ("CancelPayment", "RefundPayment", "Release", "Notify", "NotifyCancelled"):
        assert states[name]["Retry"][-1]["MaxAttempts"] == 10
        assert "Catch" not in states[name]


def test_the_machine_ends_and_its_log_holds_no_data_of_buyers(system: System) -> None:
    (machine,) = system.of_type("AWS::StepFunctions::StateMachine")
    assert machine.properties["StateMachineName"] == "box-office-dev-purchase"
    assert machine.properties["StateMachineType"] == "STANDARD"
    assert machine.properties["LoggingConfiguration"]["IncludeExecutionData"] is False
    assert machine.properties["TracingConfiguration"] == {"Enabled": True}
    assert json.loads(definition(system))["TimeoutSeconds"] == 24 * 3600


def test_whoever_starts_a_purchase_knows_the_machine_by_its_name(system: System) -> None:
    for function in system.functions.values():
        arn = system.environment(function).get("PURCHASE_STATE_MACHINE_ARN")
        assert arn is None or json.dumps(arn).endswith(':stateMachine:box-office-dev-purchase"]]}')
