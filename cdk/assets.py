"""What a deployment uploads: a zip per function, our own layer, and the layer of third-party packages.

The third-party layer takes a network the first time, and only a deployment needs it: whoever just reads the template
(the laptop cloud, the tests) says `-c dependencies=skip`. A template made that way, or made while the packages could
not be had, carries a CloudFormation rule that refuses to be deployed: an empty layer can never reach AWS.
"""

from pathlib import Path

from aws_cdk import CfnRule, CfnRuleAssertion, Fn, IgnoreMode, Stack
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from cdk.dependencies import installed_dependencies

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT / "layers" / "shared"
RUNTIME = lambda_.Runtime.PYTHON_3_13
ARCHITECTURE = lambda_.Architecture.ARM_64

# The folders of a service whose files are entry points: none imports another, so a zip needs its own one only.
ENTRY_POINTS = ("routes", "saga", "consumers", "jobs", "authorizers")
# What one function reads and no other one of its service.
READ_BY_ONE = {
    "functions/platform/openapi.json": "functions/platform/routes/openapi.py",
    "functions/platform/docs.html": "functions/platform/routes/docs.py",
}


def function_zip(entry: str, *, migrations: bool = False) -> lambda_.Code:
    """The zip of the function whose file is `entry` (`functions/<service>/<folder>/<name>.py`): its service's folder
    without the other functions' files, so that a change in one of these deploys that one alone.

    With every service's SQL for the migrations. Patterns are anchored with a slash: a bare `*` would also ignore what
    lies in a folder that is let in again.
    """
    service = entry.split("/")[1]
    patterns = ["/*", "!/functions", "/functions/*", "!/functions/__init__.py", f"!/functions/{service}"]
    patterns += [f"/functions/{service}/migrations", "__pycache__", "*.pyc"]
    folder = Path(entry).parent.name
    patterns += [f"/functions/{service}/{other}" for other in ENTRY_POINTS if other != folder]
    patterns += [
        f"/functions/{service}/{folder}/*",
        f"!/functions/{service}/{folder}/__init__.py",
        f"!/{entry}",
    ]
    patterns += [f"/{file}" for file, reader in READ_BY_ONE.items() if reader != entry]
    if migrations:
        for sql in sorted((ROOT / "functions").glob("*/migrations")):
            owner = sql.parent.name
            patterns += [f"!/functions/{owner}", f"/functions/{owner}/*", f"!/functions/{owner}/migrations"]
    return lambda_.Code.from_asset(str(ROOT), ignore_mode=IgnoreMode.GIT, exclude=patterns)


class Layers(Construct):
    """Our own layer and the third-party one, in a stack that has functions.

    Not once for all stacks: a layer's ARN changes with its content, and CloudFormation refuses to change an exported
    value while another stack imports it.
    """

    def __init__(self, stack: Stack) -> None:
        super().__init__(stack, "Layers")
        self.versions = [
            self._version("Shared", _own_code()),
            self._version("Dependencies", _third_party(stack)),
        ]

    @classmethod
    def of(cls, stack: Stack) -> "Layers":
        """The layers of a stack, made when its first function asks for them."""
        found = stack.node.try_find_child("Layers")
        return found if isinstance(found, Layers) else Layers(stack)

    def _version(self, id: str, code: lambda_.Code) -> lambda_.LayerVersion:
        return lambda_.LayerVersion(
            self, id, code=code, compatible_runtimes=[RUNTIME], compatible_architectures=[ARCHITECTURE]
        )


def _own_code() -> lambda_.Code:
    return lambda_.Code.from_asset(
        str(SHARED), ignore_mode=IgnoreMode.GIT, exclude=["/*", "!/python", "__pycache__", "*.pyc"]
    )


def _third_party(stack: Stack) -> lambda_.Code:
    if not stack.bundling_required:  # `cdk ls`, `cdk destroy`, `cdk deploy -e` of other stacks
        return _requirements_only()
    skipped = stack.node.try_get_context("dependencies") == "skip"
    packages = None if skipped else installed_dependencies()
    if packages is None:
        _refuse_deployment(stack)
        return _requirements_only()
    return lambda_.Code.from_asset(str(packages))


def _requirements_only() -> lambda_.Code:
    return lambda_.Code.from_asset(
        str(SHARED), ignore_mode=IgnoreMode.GIT, exclude=["/*", "!/requirements.txt"]
    )


def _refuse_deployment(stack: Stack) -> None:
    CfnRule(
        stack,
        "DependenciesAreInstalled",
        assertions=[
            CfnRuleAssertion(
                assert_=Fn.condition_equals("skipped", "installed"),
                assert_description="Synthesized without the third-party packages: to be read, not to be deployed.",
            )
        ],
    )
