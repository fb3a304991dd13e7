"""One run per state folder; ports that stay the same from start to start."""

import socket
from pathlib import Path

import pytest

from local import ports
from local.ports import Ports
from local.processes import CannotStart
from local.state import State


def test_a_state_folder_has_one_run_at_a_time(tmp_path: Path) -> None:
    first, second = State(tmp_path).hold(8080), State(tmp_path).hold(8081, patience=0.1)
    with first, pytest.raises(CannotStart, match=r"another run .*port 8080"), second:
        pass
    with State(tmp_path).hold(8081):
        pass


def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CannotStart, match="cannot be used"), State(tmp_path / "file" / "state").hold(8080):
        pass


def test_ports_are_remembered(tmp_path: Path) -> None:
    chosen = Ports(tmp_path / "ports.json")
    first = {name: chosen.of(name) for name in ("aws", "stripe", "valkey")}
    assert len(set(first.values())) == 3
    again = Ports(tmp_path / "ports.json")
    assert {name: again.of(name) for name in first} == first


def test_a_remembered_port_that_is_taken_by_now_is_replaced(tmp_path: Path) -> None:
    before = Ports(tmp_path / "ports.json").of("aws")
    with socket.create_server((ports.HOST, before)):
        after = Ports(tmp_path / "ports.json").of("aws")
    assert after != before


def test_why_a_port_cannot_be_had() -> None:
    with socket.create_server((ports.HOST, 0)) as server:
        port = server.getsockname()[1]
        assert ports.why_not(port) == "is in use"
        assert ports.is_answering(port)
    assert ports.why_not(port) is None
    assert not ports.is_answering(port)
