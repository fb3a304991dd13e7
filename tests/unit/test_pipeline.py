"""The pipeline's files: what runs, in which order, with which rights."""

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools import audit, synthetic_check

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PINNED = re.compile(r"^\s*(?:- )?uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")


def read(name: str) -> dict[str, Any]:
    # YAML 1.1 takes the key `on` for a boolean.
    found: dict[Any, Any] = yaml.safe_load((ROOT / ".github" / "workflows" / name).read_text())
    return {"on" if key is True else key: value for key, value in found.items()}


def steps(job: dict[str, Any]) -> list[str]:
    return [str(step.get("run") or step.get("uses")) for step in job.get("steps", [])]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_action_of_others_is_pinned_to_a_commit_and_says_its_version(file: Path) -> None:
    for line in file.read_text().splitlines():
        if "uses: " in line and "uses: ./" not in line:
            assert PINNED.match(line), line


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_job_may_read_the_code_and_only_what_is_said_beyond(file: Path) -> None:
    workflow = read(file.name)
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        more = {name for name, right in job.get("permissions", {}).items() if right == "write"}
        assert more <= {"id-token", "pull-requests"}
        assert ("id-token" in more) == (
            "uses" in job or any("aws-credentials" in step for step in steps(job))
        )


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_word_of_a_pull_request_reaches_a_shell(file: Path) -> None:
    for job in read(file.name)["jobs"].values():
        for step in job.get("steps", []):
            assert "${{" not in step.get("run", ""), step
        assert all(
            "persist-credentials" in str(step) for step in job.get("steps", []) if "checkout" in str(step)
        )


def test_every_pull_request_is_checked_tested_synthesized_and_compared_with_production() -> None:
    workflow = read("check.yml")
    assert "pull_request" in workflow["on"]
    jobs = workflow["jobs"]
    assert {"make check", "make test"} <= set(steps(jobs["test"]))
    assert any("for stage in dev staging prod" in step for step in steps(jobs["templates"]))
    assert any("cdk diff" in step and "gh pr comment" in step for step in steps(jobs["diff"]))


def test_production_comes_after_staging_and_staging_after_the_checks() -> None:
    jobs = read("deploy.yml")["jobs"]
    assert (jobs["staging"]["needs"], jobs["production"]["needs"]) == ("check", "staging")
    assert (jobs["staging"]["with"]["stage"], jobs["production"]["with"]["stage"]) == ("staging", "prod")
    assert read("deploy.yml")["concurrency"] == {"group": "deploy", "cancel-in-progress": False}


def test_a_stage_is_its_own_environment_and_tried_after_it_is_deployed() -> None:
    job = read("deploy-stage.yml")["jobs"]["deploy"]
    assert job["environment"] == "${{ inputs.stage }}"
    deploy, buy, look = steps(job)[-3:]
    assert "cdk deploy --all" in deploy
    assert "tools.synthetic_check" in buy
    assert "tools.audit" in look


def test_the_role_that_deploys_may_invoke_what_the_pipeline_tries_the_stage_with_and_nothing_else() -> None:
    """Both tools call the alias, which is what the role names."""
    text = (ROOT / ".github" / "deploy-roles.yaml").read_text()
    named = re.findall(r":function:box-office-\$\{Stage\}-(\S+)", text)
    assert named == ["platform-job-buy-free-ticket:live", "platform-job-audit:live"]
    for tool in (synthetic_check, audit):
        source = Path(str(tool.__file__)).read_text()
        assert sum(f'box-office-{{stage}}-{name.removesuffix(":live")}"' in source for name in named) == 1
        assert 'Qualifier="live"' in source


def test_each_stage_of_an_account_has_a_stack_of_roles_of_its_own() -> None:
    """One stack with another `Stage` would replace the roles of the stage before."""
    page = (ROOT / "docs" / "operations.md").read_text()
    (command,) = re.findall(r"aws cloudformation deploy .*?(?=```)", page, flags=re.DOTALL)
    assert "--stack-name box-office-pipeline-<stage> " in command
    assert "Stage=<stage>" in command
    assert "Provider=<arn>" in page


def test_the_role_that_deploys_is_for_one_environment_of_one_repository() -> None:
    text = (ROOT / ".github" / "deploy-roles.yaml").read_text()
    assert "token.actions.githubusercontent.com:sub: !Sub repo:${Repository}:environment:${Stage}" in text
    assert "StringLike" not in text
    assert not re.search(r"(Action|Resource): ['\"]?\*", text)


class Lambda:
    """A Lambda client whose function answers by a script."""

    def __init__(self, *answers: dict[str, Any]) -> None:
        self._answers, self.called = list(answers), list[tuple[str, str]]()

    def invoke(self, *, FunctionName: str, Qualifier: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803  # boto3's names
        self.called.append((FunctionName, Qualifier))
        said = self._answers.pop(0)
        failed = {"FunctionError": "Unhandled"} if "errorType" in said else {}
        return {"Payload": io.BytesIO(json.dumps(said).encode()), **failed}


STOPPED = {"succeeded": False, "step": "reserve", "reason": "503"}
BROKEN = {"errorType": "Runtime.ImportModuleError", "errorMessage": "no module"}


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ([{"succeeded": True}], 0),
        ([STOPPED, {"succeeded": True}], 0),
        ([STOPPED, STOPPED, STOPPED], 1),
        ([BROKEN, BROKEN, BROKEN], 2),
    ],
)
def test_a_deployment_is_good_once_the_canary_has_its_ticket(
    answers: list[dict[str, Any]], code: int
) -> None:
    client = Lambda(*answers)

    assert synthetic_check.check(client, "staging", pause=0) == code
    assert set(client.called) == {("box-office-staging-platform-job-buy-free-ticket", "live")}
