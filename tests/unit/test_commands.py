"""The commands of our pages are ones that AWS's command line takes: operations, options, and what has to be said.

Held against botocore's models, of which the command line is made.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import jmespath  # type: ignore[import-untyped]  # it has no types
import pytest
from botocore import xform_name
from botocore.exceptions import DataNotFoundError, UnknownServiceError

from cdk.stages import Databases, Stage

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "docs" / "operations.md",
    *sorted((ROOT / "docs" / "run-book").glob("*.md")),
]

ANYWHERE = {"cli-binary-format", "cli-input-json", "cli-read-timeout", "output", "query", "region"}
PAGED = {"max-items", "page-size", "starting-token"}
OF_THE_COMMAND_LINE_ALONE = {
    ("cloudformation", "deploy"): {"stack-name", "template-file", "capabilities", "parameter-overrides"},
    ("logs", "tail"): {"since", "filter-pattern"},
    ("s3", "rb"): set(),
    ("s3", "rm"): {"recursive", "only-show-errors"},
}
CALLED_OTHERWISE = {"configservice": "config", "deploy": "codedeploy", "s3api": "s3"}
SAID_TOGETHER = {("deploy", "list-deployments"): ("application-name", "deployment-group-name")}
"""What the models do not say: the first option is refused without the second."""


@dataclass(frozen=True)
class Command:
    """`aws <service> <operation> …`, as it stands on a page."""

    service: str
    operation: str
    words: tuple[str, ...]

    @property
    def options(self) -> set[str]:
        """Their names."""
        return {word[2:] for word in self.words if word.startswith("--")}

    @property
    def has_file(self) -> bool:
        """Whether a word belongs to no option: one that stands behind an option's own."""
        kinds = "".join("-" if word.startswith("--") else "w" for word in self.words)
        return "ww" in kinds

    @property
    def query(self) -> str | None:
        """What it asks of the answer."""
        places = [place for place, word in enumerate(self.words) if word == "--query"]
        return self.words[places[0] + 1] if places else None


def commands(text: str) -> list[Command]:
    """Every command of a page, those within others too."""
    text = re.sub(r"\\\n>?\s*", " ", text)
    found = []
    for match in re.finditer(r"(?<![\w/.-])aws (?=[a-z0-9]+ [a-z])", text):
        service, operation, *words = _words(text[match.end() :])
        found.append(Command(service, operation, tuple(words)))
    return found


def _words(text: str) -> list[str]:
    """The words up to the command's end; `$(…)` is part of a word."""
    words, word, quote, depth = list[str](), "", "", 0
    for place, letter in enumerate(text):
        if depth:
            depth += {"(": 1, ")": -1}.get(letter, 0)
        elif quote:
            quote, word = ("", word) if letter == quote else (quote, word + letter)
        elif letter in "'\"" and (not word or quote):
            quote = letter
        elif text[place : place + 2] == "$(":
            word += "$"
        elif letter == "(" and word.endswith("$"):
            depth = 1
        elif letter in "|;)`&\n" or (letter == "#" and not word):
            break
        elif letter == " ":
            words, word = [*words, word] if word else words, ""
        else:
            word += letter
    return [*words, word] if word else words


@cache
def model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(CALLED_OTHERWISE.get(service, service))


def complaints(command: Command) -> list[str]:
    """What the command line would refuse."""
    name = (command.service, command.operation)
    if name in OF_THE_COMMAND_LINE_ALONE:
        return sorted(command.options - OF_THE_COMMAND_LINE_ALONE[name] - ANYWHERE)
    try:
        known = model(command.service)
    except UnknownServiceError:
        return [f"no service {command.service}"]
    if command.operation == "wait":
        return _complaints_of_waiting(command)
    operations = {xform_name(each, "-"): each for each in known.operation_names}
    if command.operation not in operations:
        return [f"no operation {command.operation}"]
    operation = known.operation_model(operations[command.operation])
    members = operation.input_shape.members if operation.input_shape else {}
    options = {xform_name(each, "-") for each in members}
    flags = {f"no-{xform_name(each, '-')}" for each, shape in members.items() if shape.type_name == "boolean"}
    paged = PAGED if _is_paged(command.service, operations[command.operation]) else set()
    found = [f"--{each}" for each in sorted(command.options - options - flags - paged - ANYWHERE)]
    if "cli-input-json" not in command.options:
        required = {xform_name(each, "-") for each in getattr(operation.input_shape, "required_members", ())}
        found += [f"lacks --{each}" for each in sorted(required - command.options)]
    one, other = SAID_TOGETHER.get(name, ("", ""))
    if one in command.options and other not in command.options:
        found.append(f"--{one} without --{other}")
    if operation.has_streaming_output and not command.has_file:
        found.append("says no file for what it answers")
    return found + _complaints_of_query(command, operation)


def _complaints_of_waiting(command: Command) -> list[str]:
    waiters = botocore.session.get_session().get_waiter_model(command.service).waiter_names
    wanted = command.words[0]
    return [] if wanted in {xform_name(each, "-") for each in waiters} else [f"nothing waits for {wanted}"]


def _complaints_of_query(command: Command, operation: Any) -> list[str]:
    if command.query is None or operation.output_shape is None:
        return []
    jmespath.compile(command.query)
    first = re.match(r"\w+", command.query)
    known = {*operation.output_shape.members, "FunctionVersion"}
    return [] if first is None or first[0] in known else [f"no {first[0]} in the answer"]


def _is_paged(service: str, operation: str) -> bool:
    try:
        model = botocore.session.get_session().get_paginator_model(CALLED_OTHERWISE.get(service, service))
        return bool(model.get_paginator(operation))
    except (DataNotFoundError, ValueError):
        return False


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_command_line_takes_every_command_of_a_page(page: Path) -> None:
    wrong = {
        f"{command.service} {command.operation}": said
        for command in commands(page.read_text())
        if (said := complaints(command))
    }
    assert wrong == {}


def test_commands_are_found_wherever_they_stand() -> None:
    text = """Ask `aws kms list-aliases --query "Aliases[?starts_with(AliasName, 'a')]"`, then
```bash
ID=$(aws rds describe-events --source-type $(aws sts get-caller-identity) \\
    --duration 60); read -r A   # aws: a word
```"""
    found = [(each.service, each.operation, each.options) for each in commands(text)]
    assert found == [
        ("kms", "list-aliases", {"query"}),
        ("rds", "describe-events", {"source-type", "duration"}),
        ("sts", "get-caller-identity", set()),
    ]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("aws deploy list-deployments --application-name a", "--application-name without"),
        ("aws rds describe-db-proxies --proxy-name a", "--proxy-name"),
        ("aws lambda invoke --function-name a", "no file"),
        ("aws logs get-query-results", "lacks --query-id"),
        ("aws rds wait db-instance-ready", "nothing waits"),
        ("aws sts who-am-i", "no operation"),
        ("aws rds describe-events --query Happenings", "no Happenings"),
    ],
)
def test_what_would_be_refused_is_noticed(command: str, said: str) -> None:
    (found,) = commands(command)
    assert said in str(complaints(found))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_says_is_the_stage_s_is_a_field_of_it(page: Path) -> None:
    fields = {*Stage.__dataclass_fields__, *Databases.__dataclass_fields__}
    named = re.findall(r"`(\w+)`(?: and `(\w+)`)? of the stage\b", page.read_text())
    assert {name for pair in named for name in pair if name} <= fields


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_says_is_in_a_file_is_there(page: Path) -> None:
    for name, file in re.findall(r"`([A-Z_]+)`,? in (cdk/[\w/]+\.py)", page.read_text()):
        assert re.search(rf"^{name}\b", (ROOT / file).read_text(), flags=re.MULTILINE), name
    for name in re.findall(r"\(`([A-Z][A-Z_]+)`\)", page.read_text()):
        raise AssertionError(f"{name}: in which file?")
