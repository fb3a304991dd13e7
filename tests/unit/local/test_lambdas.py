"""Functions on a laptop fail, wait and are refused as they are by Lambda."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from local.faults import Fault
from local.lambdas import Answer, LambdaHost, TooManyRequests, UnknownFunction
from local.ports import free_port
from tests.small_cloud import function, hosted, run

COUNTER = """
    import os, time
    CALLS = 0
    def handler(event, context):
        global CALLS
        CALLS += 1
        time.sleep(event.get("sleep", 0))
        if "exit" in event:
            os._exit(event["exit"])
        if "raise" in event:
            raise ValueError(event["raise"])
        return {"pid": os.getpid(), "calls": CALLS, "left": context.get_remaining_time_in_millis(),
                "name": context.function_name, "variable": os.environ.get("VARIABLE")}
"""


def test_a_warm_process_is_used_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hosted(
            tmp_path, [function(tmp_path, "f", COUNTER, environment={"VARIABLE": "v"})]
        ) as host:
            first, second = value(await call(host)), value(await call(host))
        assert (first["calls"], second["calls"]) == (1, 2)
        assert first["pid"] == second["pid"]
        assert first["variable"] == "v"
        assert first["name"] == "f"
        assert 5_000 < first["left"] <= 10_000

    run(scenario())


def test_an_exception_is_an_unhandled_error_with_its_type(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hosted(tmp_path, [function(tmp_path, "f", COUNTER)]) as host:
            answer = await call(host, **{"raise": "no"})
        assert answer.error == "Unhandled"
        assert (value(answer)["errorType"], value(answer)["errorMessage"]) == ("ValueError", "no")

    run(scenario())


def test_a_function_past_its_timeout_is_killed(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hosted(tmp_path, [function(tmp_path, "f", COUNTER, timeout=0.3)]) as host:
            answer = await call(host, sleep=30)
            again = value(await call(host))
        assert value(answer)["errorType"] == "Sandbox.Timedout"
        assert "Task timed out after 0.30 seconds" in value(answer)["errorMessage"]
        assert again["calls"] == 1

    run(scenario())


def test_a_crash_is_an_error_and_the_next_call_has_a_new_process(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hosted(tmp_path, [function(tmp_path, "f", COUNTER)]) as host:
            answer = await call(host, exit=3)
            again = value(await call(host))
        assert value(answer)["errorType"] == "Runtime.ExitError"
        assert "exit status 3" in value(answer)["errorMessage"]
        assert again["calls"] == 1

    run(scenario())


def test_a_module_that_does_not_import_is_an_init_error(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hosted(tmp_path, [function(tmp_path, "f", "import no_such_module")]) as host:
            answer = await call(host)
            assert value(answer)["errorType"] == "Runtime.ImportModuleError"
            assert host.processes == 0

    run(scenario())


def test_a_file_that_is_not_in_the_asset_is_not_found(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hosted(tmp_path, [function(tmp_path, "f", "import local.lambdas")]) as host:
            assert value(await call(host))["errorType"] == "Runtime.ImportModuleError"

    run(scenario())


def test_beyond_the_cap_a_call_is_refused(tmp_path: Path) -> None:
    async def scenario() -> None:
        functions = [function(tmp_path, "f", COUNTER)]
        async with hosted(tmp_path, functions, max_processes=2, queue_seconds=0.2) as host:
            calls = [asyncio.create_task(call(host, sleep=1)) for _ in range(2)]
            await asyncio.sleep(0.1)
            with pytest.raises(TooManyRequests):
                await call(host)
            assert [answer.error for answer in await asyncio.gather(*calls)] == [None, None]
            assert host.processes == 2

    run(scenario())


def test_a_call_that_finds_a_place_in_time_waits_for_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hosted(
            tmp_path, [function(tmp_path, "f", COUNTER)], max_processes=1, queue_seconds=10
        ) as host:
            answers = await asyncio.gather(*(call(host, sleep=0.05) for _ in range(5)))
        assert [value(answer)["calls"] for answer in answers] == [1, 2, 3, 4, 5]

    run(scenario())


def test_hot_functions_are_warm_before_the_first_call(tmp_path: Path) -> None:
    async def scenario() -> None:
        functions = [function(tmp_path, "f", COUNTER, memory=1024), function(tmp_path, "cold", COUNTER)]
        async with hosted(tmp_path, functions) as host:
            await host.warm()
            for _ in range(100):
                if host.snapshot() == [{"name": "f", "processes": 1, "busy": 0}]:
                    break
                await asyncio.sleep(0.05)
            assert value(await call(host))["calls"] == 1
            assert host.processes == 1

    run(scenario())


def test_the_host_survives_the_death_of_all_its_processes(tmp_path: Path) -> None:
    code = """
        import os, signal
        def handler(event, context):
            if event:
                os.kill(os.getppid(), signal.SIGKILL)
            return os.getppid()
    """

    async def scenario() -> None:
        async with hosted(tmp_path, [function(tmp_path, "f", code)]) as host:
            parent = value(await call(host))
            await call(host, kill=True)
            await asyncio.sleep(0.1)
            assert value(await call(host)) not in (parent, 1)

    run(scenario())


def test_reserved_concurrency_refuses_at_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hosted(tmp_path, [function(tmp_path, "f", COUNTER, reserved_concurrency=1)]) as host:
            task = asyncio.create_task(call(host, sleep=0.5))
            await asyncio.sleep(0.1)
            begun = time.monotonic()
            with pytest.raises(TooManyRequests, match="Reserved"):
                await call(host)
            assert time.monotonic() - begun < 0.1
            await task

    run(scenario())


def test_an_idle_process_of_another_function_makes_room(tmp_path: Path) -> None:
    async def scenario() -> None:
        functions = [function(tmp_path, name, COUNTER) for name in ("old", "new")]
        async with hosted(tmp_path, functions, max_processes=1) as host:
            await host.invoke("old", b"{}")
            await host.invoke("new", b"{}")
            assert [row["name"] for row in host.snapshot()] == ["new"]

    run(scenario())


def test_a_process_just_used_does_not_make_room_for_more_of_another_function(tmp_path: Path) -> None:
    async def scenario() -> None:
        functions = [function(tmp_path, name, COUNTER) for name in ("calm", "busy")]
        async with hosted(tmp_path, functions, max_processes=2) as host:
            await host.invoke("calm", b"{}")
            calls = (host.invoke("busy", b'{"sleep": 0.4}') for _ in range(3))
            assert [answer.error for answer in await asyncio.gather(*calls)] == [None] * 3
            assert [row["processes"] for row in host.snapshot()] == [1, 1]

    run(scenario())


def test_idle_processes_end_after_a_while(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hosted(tmp_path, [function(tmp_path, "f", COUNTER)], idle_seconds=0.1) as host:
            await call(host)
            await asyncio.sleep(0.5)
            assert host.processes == 0

    run(scenario())


def test_a_call_that_is_given_up_does_not_leave_its_answer_to_the_next(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hosted(tmp_path, [function(tmp_path, "f", COUNTER)]) as host:
            await call(host)
            task = asyncio.create_task(call(host, sleep=0.3))
            await asyncio.sleep(0.1)
            task.cancel()
            assert value(await call(host))["calls"] == 1
            await asyncio.gather(task, return_exceptions=True)

    run(scenario())


@pytest.mark.parametrize(
    ("mode", "error", "calls"),
    [
        ("error", "FaultInjected", 0),
        ("kill_before", "Runtime.ExitError", 0),
        ("kill_after", "Runtime.ExitError", 1),
    ],
)
def test_an_ordered_fault_happens_as_often_as_ordered(
    tmp_path: Path, mode: str, error: str, calls: int
) -> None:
    log = tmp_path / "calls"
    code = f"""
        def handler(event, context):
            with open({str(log)!r}, "a") as file:
                file.write("x")
            return 1
    """

    async def scenario() -> None:
        async with hosted(tmp_path, [function(tmp_path, "box-office-dev-f", code)]) as host:
            host.faults.add([Fault("-f", mode, 1)])
            assert value(await host.invoke("box-office-dev-f", b"{}"))["errorType"] == error
            assert len(log.read_text() if log.exists() else "") == calls
            assert (await host.invoke("box-office-dev-f", b"{}")).error is None
            host.faults.add([Fault("-f", "duplicate", 1)])
            await host.invoke("box-office-dev-f", b"{}")
            assert len(log.read_text()) == calls + 3

    run(scenario())


def test_the_invoke_api_answers_as_lambda_does(tmp_path: Path) -> None:
    async def scenario() -> None:
        functions = [function(tmp_path, "f", COUNTER, reserved_concurrency=1, aliases=frozenset({"live"}))]
        async with hosted(tmp_path, functions) as host, aiohttp.ClientSession() as client:
            url = f"http://127.0.0.1:{host.settings.port}/2015-03-31/functions"
            for unknown in ("f:dead/invocations", "f/invocations?Qualifier=dead"):
                async with client.post(f"{url}/{unknown}", json={}) as answer:
                    assert answer.status == 404
            async with client.post(
                f"{url}/arn:aws:lambda:us-east-1:0:function:f:live/invocations", json={}
            ) as answer:
                assert (await answer.json())["calls"] == 1
            async with client.post(f"{url}/f/invocations", json={"raise": "no"}) as answer:
                assert answer.headers["X-Amz-Function-Error"] == "Unhandled"
            async with client.post(f"{url}/nobody/invocations", json={}) as answer:
                assert (answer.status, answer.headers["x-amzn-ErrorType"]) == (
                    404,
                    "ResourceNotFoundException",
                )
            slow = asyncio.create_task(call(host, sleep=0.5))
            await asyncio.sleep(0.1)
            async with client.post(f"{url}/f/invocations", json={}) as answer:
                assert (answer.status, answer.headers["x-amzn-ErrorType"]) == (
                    429,
                    "TooManyRequestsException",
                )
            await slow

    run(scenario())


def test_settings_are_out_of_reach_while_the_emulator_is_away(tmp_path: Path) -> None:
    async def ask() -> int:
        async with hosted(tmp_path, [], aws_url=f"http://127.0.0.1:{free_port()}") as host:
            url = f"http://127.0.0.1:{host.settings.port}/systemsmanager/parameters/get?name=/a/hold"
            headers = {"X-Aws-Parameters-Secrets-Token": host.settings.session_token}
            async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as answer:
                return answer.status

    assert run(ask()) == 503


def test_a_function_that_is_not_in_the_template_is_unknown(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hosted(tmp_path, []) as host:
            with pytest.raises(UnknownFunction):
                await host.invoke("nobody", b"{}")

    run(scenario())


async def call(host: LambdaHost, **event: Any) -> Answer:
    return await host.invoke("f", json.dumps(event).encode())


def value(answer: Answer) -> Any:
    return json.loads(answer.payload)
