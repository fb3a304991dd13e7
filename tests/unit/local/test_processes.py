"""Programs of the laptop cloud end with it, however it ends."""

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest

from local.processes import CannotStart, Processes, Program

SLEEP = "import time; time.sleep(60)"


def python(name: str, code: str) -> Program:
    return Program(name, [sys.executable, "-c", textwrap.dedent(code)])


def test_stopping_ends_what_a_program_started_itself(tmp_path: Path) -> None:
    processes = Processes(tmp_path)
    parent = processes.start(
        python("parent", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SLEEP!r}])")
    )
    parent.wait_until(lambda: bool(psutil.Process(parent.pid).children()))
    child = psutil.Process(parent.pid).children()[0]
    processes.stop_all()
    assert not psutil.wait_procs([child], timeout=5)[1]


def test_a_program_that_ignores_its_stop_signal_is_killed(tmp_path: Path) -> None:
    processes = Processes(tmp_path)
    code = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); {SLEEP}"
    deaf = processes.start(python("deaf", code))
    deaf.wait_until(lambda: "deaf" in deaf.log.read_text())
    deaf.stop(seconds=0.2)
    assert deaf.exit_code == -signal.SIGKILL


def test_a_program_ends_when_its_launcher_is_killed(tmp_path: Path) -> None:
    code = f"""
        import sys, time
        from pathlib import Path
        from local.processes import Processes, Program
        process = Processes(Path({str(tmp_path)!r})).start(Program("child", [sys.executable, "-c", {SLEEP!r}]))
        print(process.pid, flush=True)
        time.sleep(60)
    """
    launcher = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True
    )
    assert launcher.stdout is not None
    child = psutil.Process(int(launcher.stdout.readline()))
    launcher.kill()
    launcher.wait()
    assert not psutil.wait_procs([child], timeout=5)[1]


def test_the_next_start_ends_what_the_last_one_left(tmp_path: Path) -> None:
    left = Processes(tmp_path).start(python("left", SLEEP))
    Processes(tmp_path).end_leftovers(seconds=0.1)
    assert not psutil.pid_exists(left.pid)


def test_a_process_number_that_somebody_else_has_by_now_is_left_alone(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", SLEEP]) as stranger:
        (tmp_path / "processes.json").write_text(f'[{{"pid": {stranger.pid}, "started": 1000.0}}]')
        Processes(tmp_path).end_leftovers(seconds=0.1)
        assert stranger.poll() is None
        stranger.kill()


def test_a_failing_start_says_the_last_words_of_the_program(tmp_path: Path) -> None:
    processes = Processes(tmp_path)
    failing = processes.start(python("failing", "import sys; print('no such thing'); sys.exit(3)"))
    with pytest.raises(CannotStart, match="failing ended with 3: no such thing"):
        failing.wait_until(lambda: False)


def test_a_missing_program_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="absent cannot start"):
        Processes(tmp_path).start(Program("absent", ["/no/such/program"]))


def test_programs_that_ended_by_themselves_are_told_once(tmp_path: Path) -> None:
    processes = Processes(tmp_path)
    short = processes.start(python("short", "pass"))
    short.wait_until(lambda: short.exit_code is not None)
    assert processes.ended() == [short]
    assert processes.ended() == []
