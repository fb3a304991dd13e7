"""`make run` as its user meets it: going on where it ended, ending without a trace, failing in one line."""

import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.box_office import order_of, publish
from tests.e2e.client import PASSWORD, eventually
from tests.e2e.laptop import Laptop


@pytest.fixture
def another(assembly: Path) -> Iterator[Laptop]:
    """A laptop cloud of the test's own, not started."""
    laptop = Laptop(assembly=assembly)
    yield laptop
    laptop.remove()


def one_line(laptop: Laptop) -> str:
    """What a start that fails says, which must be one line."""
    process = laptop.launch()
    words, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert words.count("\n") == 1, words
    return words


def test_a_state_outlives_ctrl_c_and_kill_and_no_process_does(another: Laptop) -> None:
    another.start()
    email = another.client.newcomer().email
    assert email is not None

    running = another.processes()
    assert len(running) > 5
    assert another.stop(signal.SIGINT) == 0
    assert not another.still_running(running, seconds=1)

    another.start()
    another.client.signed_in(email, PASSWORD)

    running = another.processes()
    another.stop(signal.SIGKILL)
    assert not another.still_running(running, seconds=15)

    another.start()
    assert another.client.signed_in(email, PASSWORD).get("/api/auth/profile").expect(200)["email"] == email


def test_a_second_start_right_after_kill_waits_for_the_first_to_be_gone(another: Laptop) -> None:
    another.start()
    first = another.processes()
    another.stop(signal.SIGKILL)
    another.start()
    assert not another.still_running(first, seconds=0)


def test_ctrl_c_does_not_wait_for_purchases_under_way(another: Laptop) -> None:
    another.start()
    show = publish(another.client.newcomer("ORGANIZER", "Otto"))
    buyer = another.client.newcomer()
    buyer.put("/_local/faults", [{"target": "tickets-saga-issue", "mode": "timeout"}]).expect(200)
    order_of(buyer, show)

    began = time.monotonic()
    assert another.stop(signal.SIGINT) == 0
    assert time.monotonic() - began < 25  # the task would have taken its 30


def test_two_states_do_not_disturb_each_other(laptop: Laptop, another: Laptop) -> None:
    another.start()
    email = another.client.newcomer().email
    credentials = {"email": email, "password": PASSWORD}
    assert laptop.client.post("/api/auth/login", credentials).code == "INVALID_CREDENTIALS"
    assert another.client.post("/api/auth/login", credentials).status == 200


def test_a_port_in_use_is_one_clear_line(another: Laptop) -> None:
    with socket.create_server(("127.0.0.1", another.port)):
        assert f"port {another.port} is in use" in one_line(another)


def test_a_state_in_use_is_one_clear_line(laptop: Laptop, another: Laptop) -> None:
    another.state = laptop.state
    assert "another run" in one_line(another)


def test_an_unknown_setting_is_one_clear_line(assembly: Path) -> None:
    laptop = Laptop(settings="hold_secnds=5", assembly=assembly)
    try:
        process = laptop.launch()
        words, _ = process.communicate(timeout=60)
    finally:
        laptop.remove()
    assert process.returncode == 1
    assert words.splitlines()[-1].startswith("Box Office cannot start:")
    assert "hold_secnds" in words.splitlines()[-1]


@pytest.fixture(scope="module")
def wounded(assembly: Path) -> Iterator[Laptop]:
    """A laptop cloud that loses one server after the other."""
    with Laptop(assembly=assembly) as running:
        yield running


@pytest.mark.parametrize("name", ["postgres", "valkey", "moto", "stripe_simulator"])
def test_a_server_that_dies_is_started_again(wounded: Laptop, name: str) -> None:
    word = {"moto": "local.aws", "stripe_simulator": "local.stripe_simulator"}.get(name, name)
    victim = next(
        process for process in wounded.processes() if any(word in part for part in process.cmdline()[:4])
    )
    said = len(wounded.said)
    victim.kill()
    victim.wait(5)
    eventually(lambda: any("is started again" in line for line in wounded.said[said:]))
    eventually(lambda: any("serves again" in line for line in wounded.said[said:]), 90)
    eventually(lambda: wounded.client.get("/api/health").status == 200, 90)
    assert wounded.client.newcomer().get("/api/auth/profile").status == 200
