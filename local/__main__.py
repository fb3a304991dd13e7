"""`python -m local run`: the laptop cloud from the command line. `make run` calls it."""

import argparse
import asyncio
import signal
import sys
from pathlib import Path
from typing import NoReturn

from local.processes import CannotStart, stop_with_parent


def main() -> int:
    """Run what the command line says; the process's exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace", line_buffering=True)
    try:
        options = _parser().parse_args()
        if options.stop_with_parent:
            stop_with_parent(signal.SIGTERM)
        return asyncio.run(_run(options))
    except CannotStart as error:
        print(f"Box Office cannot start: {error}", file=sys.stderr)
        return 1


async def _run(options: argparse.Namespace) -> int:
    from local.launcher import Launcher, Options

    chosen = Options(
        options.state, options.port, options.settings, options.demo, options.assembly, options.processes
    )
    return await Launcher(chosen).run()


def _settings(text: str) -> dict[str, str]:
    pairs = [word.partition("=") for word in text.replace(",", " ").split()]
    for name, equals, value in pairs:
        if not (name and equals and value):
            raise argparse.ArgumentTypeError(f"{name or text!r} is not of the form name=value")
    return {name: value for name, _, value in pairs}


def _port(text: str) -> int:
    if not (text.isdecimal() and 0 < int(text) < 65536):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port (1 to 65535)")
    return int(text)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        raise CannotStart(message)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m local", description="Box Office on one machine.")
    commands = parser.add_subparsers(required=True)
    run = commands.add_parser("run", help="start everything and serve until Ctrl-C")
    run.add_argument("--port", type=_port, default=8080, help="where the API listens (default 8080)")
    run.add_argument("--state", type=Path, default=Path(".state"), help="the folder that keeps everything")
    run.add_argument(
        "--settings",
        type=_settings,
        default={},
        metavar='"hold_seconds=5 …"',
        help="settings that differ from the template's",
    )
    run.add_argument("--assembly", type=Path, help="run this cloud assembly instead of synthesizing one")
    run.add_argument(
        "--processes", type=int, default=64, help="Lambda processes at most (default 64, of about 30 MB)"
    )
    run.add_argument(
        "--no-demo", dest="demo", action="store_false", help="do not load the demo into a new state"
    )
    run.add_argument(
        "--stop-with-parent",
        action="store_true",
        help="end when the process that started this one (make) ends",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
