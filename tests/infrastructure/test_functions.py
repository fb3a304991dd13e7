"""Every function: a file, a role, a zip, and a place of its own."""

import importlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from shared.settings import Setting
from tests.infrastructure.bare import IMPORT_ALL
from tests.infrastructure.template import ROOT, System

TRIGGERS = ("routes", "saga", "consumers", "jobs", "authorizers")
WITH_MIGRATIONS = (
    "functions.platform.jobs.migrate.handler",
    "functions.platform.jobs.look_at_restored.handler",
)


def handlers_in_the_repository() -> set[str]:
    files = [file for folder in TRIGGERS for file in (ROOT / "functions").glob(f"*/{folder}/*.py")]
    paths = [file.relative_to(ROOT).with_suffix("") for file in files if file.stem != "__init__"]
    return {".".join(path.parts) + ".handler" for path in paths}


def files_in(folder: Path) -> set[str]:
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}


def test_every_file_under_a_trigger_s_folder_has_a_function_and_every_function_a_file(system: System) -> None:
    assert set(system.functions) == handlers_in_the_repository()


def test_no_file_has_two_functions(system: System) -> None:
    ours = [f for f in system.of_type("AWS::Lambda::Function") if "FunctionName" in f.properties]
    assert len(ours) == len(system.functions)


def test_a_function_is_named_for_its_file(system: System) -> None:
    kinds = {
        "routes": "",
        "saga": "saga-",
        "consumers": "consumer-",
        "jobs": "job-",
        "authorizers": "authorizer-",
    }
    for handler, function in system.functions.items():
        _, service, folder, file, _ = handler.split(".")
        expected = f"box-office-dev-{service}-{kinds[folder]}{file.replace('_', '-')}"
        assert function.properties["FunctionName"] == expected


def test_every_function_has_a_role_that_no_other_has(system: System) -> None:
    roles = [(f.stack, f.properties["Role"]["Fn::GetAtt"][0]) for f in system.functions.values()]
    assert len(set(roles)) == len(roles)


def test_every_function_runs_python_on_arm_is_traced_and_lies_in_the_private_subnets(system: System) -> None:
    for function in system.functions.values():
        properties = function.properties
        assert properties["Runtime"] == "python3.13"
        assert properties["Architectures"] == ["arm64"]
        assert properties["TracingConfig"] == {"Mode": "Active"}
        assert all("privateSubnet" in str(subnet) for subnet in properties["VpcConfig"]["SubnetIds"])


def test_every_function_writes_json_into_a_log_group_of_its_own_that_forgets(system: System) -> None:
    groups = []
    for function in system.functions.values():
        assert function.properties["LoggingConfig"]["LogFormat"] == "JSON"
        group = system.target(function.stack, function.properties["LoggingConfig"]["LogGroup"])
        assert group.properties["RetentionInDays"] == 14
        groups.append((group.stack, group.id))
    assert len(set(groups)) == len(groups)


def test_every_function_knows_its_stage_its_service_and_where_settings_lie(system: System) -> None:
    for handler, function in system.functions.items():
        variables = system.environment(function)
        assert variables["STAGE"] == "dev"
        assert variables["POWERTOOLS_SERVICE_NAME"] == handler.split(".")[1]
        assert variables["SETTINGS_PREFIX"] == "/box-office/dev"


def entry_of(handler: str) -> str:
    return handler.removesuffix(".handler").replace(".", "/") + ".py"


def test_the_zip_of_a_function_holds_its_service_and_no_other_function_s_file(system: System) -> None:
    for handler, function in system.functions.items():
        files = files_in(system.folder / function.zip)
        service, entry = handler.split(".")[1], entry_of(handler)
        assert {"functions/__init__.py", entry} <= files
        assert not [file for file in files if "__pycache__" in file]
        if handler in WITH_MIGRATIONS:
            continue
        assert all(f == "functions/__init__.py" or f.startswith(f"functions/{service}/") for f in files)
        assert not [file for file in files if "/migrations/" in file]
        entries = {
            file for file in files if Path(file).parent.name in TRIGGERS and not file.endswith("__init__.py")
        }
        assert entries == {entry}


def test_every_zip_can_be_imported_with_nothing_of_the_repository_beside_it(system: System) -> None:
    zips = [
        (str(system.folder / f.zip), handler.removesuffix(".handler"))
        for handler, f in system.functions.items()
    ]
    done = subprocess.run(
        [sys.executable, "-P", "-c", IMPORT_ALL],
        input=json.dumps(zips),
        cwd=system.folder,
        env={"PYTHONPATH": str(ROOT / "layers/shared/python"), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("handler", WITH_MIGRATIONS)
def test_the_migrations_carry_the_sql_of_every_service_and_no_other_service_s_code(
    system: System, handler: str
) -> None:
    files = files_in(system.folder / system.functions[handler].zip)
    expected = {str(file.relative_to(ROOT)) for file in (ROOT / "functions").glob("*/migrations/*.sql")}
    assert expected <= files
    foreign = {file for file in files - expected if not file.startswith("functions/platform/")}
    assert foreign == {"functions/__init__.py"}


def test_our_own_layer_holds_the_package_shared_and_nothing_else(system: System) -> None:
    layers = [layer for layer in system.of_type("AWS::Lambda::LayerVersion") if "Shared" in layer.id]
    assert layers
    for layer in layers:
        files = files_in(system.folder / layer.zip)
        assert "python/shared/__init__.py" in files
        assert all(file.startswith("python/shared/") and not file.endswith(".pyc") for file in files)


def test_a_setting_is_written_again_for_a_new_default_alone_and_published_keys_by_their_job_alone(
    system: System,
) -> None:
    """CloudFormation writes the value of a parameter again, whatever of it changes: an operator's would be gone."""
    parameters = [p for p in system.of_type("AWS::SSM::Parameter") if p.stack == "Settings"]
    assert {key for p in parameters for key in p.properties} == {"Name", "Type", "Value", "AllowedPattern"}
    # Another spelling of these is written for every setting at once.
    assert {p.properties["AllowedPattern"] for p in parameters} <= {
        "^([Tt]rue|[Ff]alse)$",
        "^[0-9]{1,9}$",
        r"^[0-9]{1,9}(\.[0-9]{1,9})?$",
        "^.+$",
        "^.+@.+$",
    }
    manifest = json.loads((system.folder / "manifest.json").read_text())
    assert not manifest["artifacts"]["Settings"]["properties"].get("tags")
    names = {p.properties["Name"].rsplit("/", 1)[1] for p in parameters}
    assert not names & {"jwks", "ticket_keys"}


def test_every_setting_in_the_code_has_a_parameter_with_its_default(system: System) -> None:
    parameters = {p.properties["Name"]: p.properties for p in system.of_type("AWS::SSM::Parameter")}
    for file in (ROOT / "functions").glob("*/settings.py"):
        module = importlib.import_module(f"functions.{file.parent.name}.settings")
        for setting in vars(module).values():
            if isinstance(setting, Setting) and setting.name != "mail_from":
                parameter = parameters[f"/box-office/dev/{setting.name}"]
                assert parameter["Value"] == str(setting.default)
                assert parameter["AllowedPattern"] == setting.pattern
                assert re.search(setting.pattern, str(setting.default))
