"""What tools that know AWS and not us find in each stage: nothing, but for what has a reason in `cdk/reviews.py`."""

import json
import platform
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from cdk.reviews import FOUND, nag
from cdk.reviews import guard as guard_s
from cdk.reviews.review import Review
from tests.infrastructure.synthesis import findings
from tests.infrastructure.template import Resource, System

STAGES = {"system": "dev", "staging": "staging", "production": "prod"}
# For tools that take long. Staging has production's kinds of resources, as a test below says, in other numbers.
differ = pytest.mark.parametrize("stage", ["system", "production"], indirect=True)
# A DependsOn beside a reference, joins that the CDK writes, and the rule that refuses a template made without the
# third-party packages, which is always broken in a test.
UNLINTED = ("W3005", "E1022", "W8003")
LARGE = ("Api", "Auth", "Events", "Tickets", "Payments", "Notifications", "Platform")
TYPE = re.compile(r"AWS::\w+::\w+")
# How one stack's template names another's resource.
EXPORTED = re.compile(r"box-office-[\w{}-]+:ExportsOutputFnGetAtt(\w+?)Arn[0-9A-F]{8}")
PLACE = re.compile(r'"path": "/Resources/(\w+)')


@pytest.fixture(params=STAGES)
def stage(request: pytest.FixtureRequest) -> System:
    """Each stage."""
    found: System = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="session")
def guard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """AWS's Guard and the rules of Control Tower, as they come with the CDK's validator."""
    folder = tmp_path_factory.mktemp("guard")
    (packed,) = Path(str(files("cdklabs.cdk_validator_cfnguard._jsii"))).glob("*.tgz")
    with tarfile.open(packed) as archive:
        archive.extractall(folder, filter="data")
    return folder / "package"


def test_cdk_nag_finds_nothing_but_what_has_a_reason(stage: System) -> None:
    assert findings(stage.folder) == []


def test_no_reason_for_cdk_nag_is_left_without_a_finding(request: pytest.FixtureRequest) -> None:
    """In none of the stages. What it finds before acknowledgment names resources as they are in their own stacks."""
    idle = set(nag.ROWS)
    for fixture, name in STAGES.items():
        stage: System = request.getfixturevalue(fixture)
        found = json.loads((stage.folder / FOUND).read_text())
        assert len(found) > 20
        types = {resource.metadata.get("aws:cdk:path"): resource.type for resource in stage.resources}
        for row in nag.ROWS:
            rule = EXPORTED.sub(r"<\1.Arn>", row.rule).replace("{stage}", name)
            if any(row.is_of(types[path], path) for path in found.get(f"AwsSolutions-{rule}", ())):
                idle.discard(row)
    assert sorted(row.rule for row in idle) == [], "a reason for nothing"


def test_staging_has_no_kind_of_resource_that_production_lacks(staging: System, production: System) -> None:
    ours, theirs = ({(r.stack, r.type) for r in stage.resources} for stage in (staging, production))
    assert ours - theirs == set()


@differ
def test_cfn_lint_finds_nothing(stage: System, request: pytest.FixtureRequest) -> None:
    """In production. The stacks of the API and its functions, which take longest, differ elsewhere in numbers alone."""
    is_whole = stage is request.getfixturevalue("production")
    stacks = [stack for stack in stage.templates if is_whole or stack not in LARGE]
    templates = [str(stage.folder / f"{stack}.template.json") for stack in stacks]
    command = [
        str(Path(sys.executable).with_name("cfn-lint")),
        "--ignore-checks",
        *UNLINTED,
        "--template",
        *templates,
    ]
    run = subprocess.run(command, capture_output=True, text=True)
    assert (run.returncode, run.stdout + run.stderr) == (0, "")


@differ
def test_guard_finds_what_has_a_reason_and_no_reason_is_left_without_a_finding(
    stage: System, guard: Path, tmp_path: Path
) -> None:
    found = set(guard_s_findings(stage, guard, tmp_path))
    excused, given, used = set(), set(), set()
    for review, resource in guard_s_reviews(stage):
        finding = (review.rule, resource.stack, resource.id)
        excused.add(finding)
        given.add((review.rule, review.where))
        if finding in found:
            used.add((review.rule, review.where))
    assert sorted(found - excused) == [], "no reason is given"
    # Whether data is kept is the stage's affair, and prod's is the subject of a test of its own.
    idle = given - used - {("rds_cluster_deletion_protection_enabled_check", ".*")}
    assert sorted(idle) == [], "a reason for nothing"


def guard_s_reviews(system: System) -> Iterator[tuple[Review, Resource]]:
    """Each row for Guard with every resource that it excuses."""
    for review in guard_s.ROWS:
        for resource in system.resources:
            if review.is_of(resource.type, f"{resource.stack}/{resource.id}"):
                yield review, resource


def guard_s_findings(system: System, guard: Path, folder: Path) -> Iterator[tuple[str, str, str]]:
    """The rule, the stack and the logical id of each.

    Rules whose types a stage does not have would be passed over, and so would resources of types that no rule knows.
    Without either it takes a quarter of the time.
    """
    texts = {file: file.read_text() for file in (guard / "rules").rglob("*.guard")}
    assert len(texts) > 200
    known = set().union(*(types_of(text) for text in texts.values()))
    rules, templates = folder / "rules", folder / "templates"
    rules.mkdir()
    templates.mkdir()
    for stack, template in system.templates.items():
        concerned = {id: body for id, body in template["Resources"].items() if body["Type"] in known}
        (templates / f"{stack}.json").write_text(json.dumps({"Resources": concerned}))
    present = {resource.type for resource in system.resources}
    for file, text in texts.items():
        if types_of(text) & present:
            (rules / file.name).write_text(text)
    program = guard / "bin/ubuntu" / platform.machine() / "cfn-guard"
    program.chmod(0o755)
    command = [str(program), "validate", "--rules", str(rules), "--data", str(templates)]
    options = ["--show-summary", "none", "--structured", "--output-format", "json"]
    run = subprocess.run([*command, *options], capture_output=True, text=True)
    assert run.returncode in (0, 19), run.stderr  # 19: rules are broken
    for report in json.loads(run.stdout):
        for broken in report["not_compliant"]:
            for id in set(PLACE.findall(json.dumps(broken))):
                yield broken["Rule"]["name"], Path(report["name"]).stem, id


def types_of(rule: str) -> set[str]:
    """The types of resources that a rule speaks of, its comments aside."""
    return set(
        TYPE.findall("\n".join(line for line in rule.splitlines() if not line.lstrip().startswith("#")))
    )
