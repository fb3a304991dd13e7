"""Starts the laptop cloud in order, serves until it is told to stop, and stops everything again.

template → PostgreSQL, Valkey, AWS emulation, payment gateway → Lambda host → deployment and its triggers (which
migrate the databases and make keys) → HTTP gateway → queues → recovery of what the last run left → schedules → demo
"""

import asyncio
import signal
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from aiohttp import web

from local import ports, recovery, seed
from local.assembly import Assembly
from local.console import Console
from local.deploy import Deployment, SettingError, TriggerError
from local.gateway import Gateway
from local.lambdas import HostSettings, LambdaHost
from local.permissions.gate import Gate
from local.pictures import Pictures
from local.processes import CannotStart, Processes
from local.progress import Progress
from local.queues import QueueConsumers
from local.resources import Address, AssemblyError, Places
from local.schedules import Schedules
from local.secret_store import SecretStore
from local.servers import Servers
from local.state import State
from local.synthesis import synthesize

_WATCH_SECONDS = 1.0

# For one part: calls under way end sooner or are given up.
_STOP_SECONDS = 5.0


class Part(Protocol):
    """A part of the laptop cloud that runs in this process."""

    async def stop(self) -> None: ...


@dataclass(frozen=True)
class Options:
    """What a developer chooses.

    Attributes:
        folder: the state folder; what it holds is gone on with.
        port: where the API listens.
        settings: values that differ from those in the template's Parameter Store.
        demo: load a small demo into a new state.
        assembly: a cloud assembly to run as it is; None: synthesize one into the state folder.
        processes: the Lambda processes that there may be at once.
    """

    folder: Path
    port: int
    settings: Mapping[str, str]
    demo: bool
    assembly: Path | None
    processes: int


class Launcher:
    """One laptop cloud."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._state = State(options.folder)
        self._port = options.port
        self._progress = Progress()
        self._url = f"http://127.0.0.1:{options.port}"

    async def run(self) -> int:
        """Start, serve until SIGINT or SIGTERM, stop; the exit code. Raises CannotStart."""
        with self._state.hold(self._port):
            if reason := ports.why_not(self._port):
                raise CannotStart(
                    f"port {self._port} {reason}: give another one, e.g. `make run PORT={ports.free_port()}`"
                )
            work = asyncio.ensure_future(self._serve())
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                asyncio.get_running_loop().add_signal_handler(number, work.cancel)
            try:
                await work
            except asyncio.CancelledError:
                self._progress.say("Stopped. `make run` goes on from here.")
            except (AssemblyError, SettingError, TriggerError) as error:
                raise CannotStart(str(error)) from error
        return 0

    async def _serve(self) -> None:
        self._progress.say(f"Box Office on this machine: state {self._state.folder}, port {self._port}")
        async with AsyncExitStack() as running:
            processes = Processes(self._state.folder)
            running.callback(processes.stop_all)
            running.callback(self._progress.say, "Stopping …")
            processes.end_leftovers()
            await self._start(processes, running)

    async def _start(self, processes: Processes, running: AsyncExitStack) -> None:
        chosen = ports.Ports(self._state.ports)
        assembly = await self._assembly(processes, chosen)
        secrets = SecretStore.open(self._state.secrets, assembly.secrets)
        servers = Servers(self._state, chosen, processes, secrets, assembly.secrets, self._url)
        limits = HostSettings(
            self._state.folder, servers.aws_url, servers.lambda_port, max_processes=self._options.processes
        )
        assembly.grants.save(self._state.permissions)
        host = LambdaHost(assembly.functions, limits, Gate(assembly.grants, self._state.denied))
        deployment = Deployment(
            assembly, servers.aws_url, self._state.folder, secrets, self._options.settings
        )

        servers.start()
        with self._progress.step("PostgreSQL") as step:
            await servers.database_ready()
            step.detail = f"{ports.HOST}:{servers.postgres.port}"
        with self._progress.step("Lambda host"):
            running.push_async_callback(_stop, host)
            await host.start()
        with self._progress.step("AWS emulation") as step:
            await servers.others_ready()
            step.detail = servers.aws_url
        with self._progress.step("Deployment") as step:
            await deployment.create()
            running.push_async_callback(deployment.save)
            step.detail = f"{len(assembly.functions)} functions, {len(assembly.queues)} queues"
        with self._progress.step("Migrations and keys"):
            await deployment.run_triggers(host)
        await self._open(assembly, host, servers, running)
        self._progress.say(seed.what_to_try(self._url, self._state, servers.postgres))
        await self._watch(servers, deployment, host, assembly, processes)

    async def _assembly(self, processes: Processes, chosen: ports.Ports) -> Assembly:
        with self._progress.step("Template") as step:
            # Functions run elsewhere: to them a relative path would lead nowhere.
            folder = (self._options.assembly or self._state.assembly).resolve()
            made = self._options.assembly is None and await synthesize(folder, processes)
            places = Places(
                gateway_url=self._url,
                aws_url=f"http://{ports.HOST}:{chosen.of('aws')}",
                database=Address(ports.HOST, chosen.of("postgres")),
                cache=Address(ports.HOST, chosen.of("valkey")),
            )
            assembly = Assembly.read(folder, places)
            step.detail = "synthesized" if made else "unchanged"
        return assembly

    async def _open(
        self, assembly: Assembly, host: LambdaHost, servers: Servers, running: AsyncExitStack
    ) -> None:
        consumers = QueueConsumers(assembly.event_sources, host, servers.aws_url)
        console = Console(self._state, assembly, host, servers, consumers)
        schedules = Schedules(assembly.schedules, host)
        if assembly.api is None:
            raise CannotStart("the template declares no API")
        pictures = Pictures(assembly.distribution, servers.aws_url)

        def extend(app: web.Application) -> None:
            pictures.extend(app)
            console.extend(app)

        gateway = Gateway(assembly.api, host, port=self._port, extend=extend)
        with self._progress.step("HTTP gateway") as step:
            for part in (console, pictures, gateway, consumers):
                running.push_async_callback(_stop, part)
                await part.start()
            step.detail = self._url
        if self._state.started_before:
            with self._progress.step("Recovery") as step:
                step.detail = await recovery.recover(host, assembly)
        running.push_async_callback(_stop, schedules)
        await schedules.start()
        if self._options.demo and not self._state.started_before:
            with self._progress.step("Demo") as step:
                step.detail = await seed.load(self._url, self._state, host, assembly.functions)
        self._state.mark_started()

    async def _watch(
        self,
        servers: Servers,
        deployment: Deployment,
        host: LambdaHost,
        assembly: Assembly,
        processes: Processes,
    ) -> None:
        """Serve until cancelled, and start again what ended by itself, as AWS replaces a broken server."""
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            for process in processes.ended():
                name, code = process.program.name, process.exit_code
                print(f"{name} ended with {code} and is started again (see {process.log})", file=sys.stderr)
                await servers.restart(name)
                if name == servers.AWS:
                    # Its memory is gone, as after a start.
                    await deployment.create()
                    await recovery.recover(host, assembly)
                print(f"{name} serves again", file=sys.stderr)


async def _stop(part: Part) -> None:
    """Stop a part, and do not wait for one that hangs: what it holds ends with this process."""
    stopping = asyncio.ensure_future(part.stop())
    _, late = await asyncio.wait({stopping}, timeout=_STOP_SECONDS)
    if late:
        print(f"{type(part).__name__} did not stop within {_STOP_SECONDS:.0f} s", file=sys.stderr)
