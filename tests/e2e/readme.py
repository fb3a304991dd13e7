"""The journeys of our pages, run for real: each `$ command` of console blocks, in one shell, against a running system.

What differs from run to run (ids, times, tokens, order numbers) is masked before outputs are compared.
`python -m tests.e2e.readme --write URL` runs the commands against URL and writes what they print into the README.
"""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
OPERATIONS = ROOT / "docs" / "operations.md"
BLOCK = re.compile(r"(?<=```console\n)(.*?)(?=```)", re.DOTALL)
MARK = "-- end of command --"
MASKS = [
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<id>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "<time>"),
    (re.compile(r"\b(BO|T)-[0-9A-Z-]{6,}"), "<number>"),
    (re.compile(r"http://127\.0\.0\.1:\d+"), "<url>"),
    (re.compile(r"\d+ bytes|\b\d{3,5}\s+bytes"), "<size>"),
]


@dataclass(frozen=True)
class Step:
    """One command of a page and the output printed below it."""

    command: str
    output: str


def steps(text: str) -> list[Step]:
    """The commands of every console block that talks to the API, in order."""
    found: list[Step] = []
    for block in BLOCK.findall(text):
        if "curl" in block:
            found += _steps_of(block)
    return found


def run(commands: list[str], api: str, before: str = "") -> list[str]:
    """Run the commands in one shell with `API` set; what each printed. `before` is run first, silently.

    Raises:
        RuntimeError: the shell ended early.
    """
    script = "\n".join(f"{command}\necho '{MARK}'" for command in commands)
    done = subprocess.run(
        ["bash", "-c", f"API={api}\n{before}\n{script}"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    outputs = done.stdout.split(MARK + "\n")
    if len(outputs) != len(commands) + 1:
        raise RuntimeError(f"the shell ended early: {done.stdout}\n{done.stderr}")
    return [output.strip("\n") for output in outputs[:-1]]


def masked(output: str) -> str:
    """The output without what differs from run to run."""
    for pattern, mask in MASKS:
        output = pattern.sub(mask, output)
    return output


def rewritten(text: str, outputs: list[str]) -> str:
    """The page with these outputs in place of the ones it has."""
    rest = iter(outputs)

    def block(match: re.Match[str]) -> str:
        if "curl" not in match[1]:
            return match[1]
        lines: list[str] = []
        for step in _steps_of(match[1]):
            output = next(rest)
            lines += ["$ " + step.command.replace("\n", "\n> "), *([output] if output else [])]
        return "\n".join(lines) + "\n"

    return BLOCK.sub(block, text)


def _steps_of(block: str) -> list[Step]:
    found: list[Step] = []
    for line in block.rstrip("\n").split("\n"):
        if line.startswith("$ "):
            found.append(Step(line[2:], ""))
        elif line.startswith("> "):
            found[-1] = Step(f"{found[-1].command}\n{line[2:]}", "")
        else:
            found[-1] = Step(found[-1].command, f"{found[-1].output}\n{line}".strip("\n"))
    return found


if __name__ == "__main__":
    content = README.read_text()
    README.write_text(rewritten(content, run([step.command for step in steps(content)], sys.argv[-1])))
