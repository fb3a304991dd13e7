"""PostgreSQL and its proxies: the cheapest that works in dev, a cluster for each service in production."""

import re

import pytest

from tests.infrastructure.template import ROOT, Resource, System, as_list, text_of

SERVICES = ["auth", "events", "notifications", "payments", "tickets"]


def clusters(system: System) -> dict[str, Resource]:
    found = system.of_type("AWS::RDS::DBCluster")
    return {each.properties["DBClusterIdentifier"].rsplit("-", 1)[1]: each for each in found}


def machines(system: System, cluster: Resource) -> list[Resource]:
    return [
        each
        for each in system.of_type("AWS::RDS::DBInstance")
        if each.properties.get("DBClusterIdentifier") == {"Ref": cluster.id}
    ]


def servers(system: System) -> list[Resource]:
    """What has a password and storage: clusters, and instances that belong to none."""
    return [
        each
        for each in system.of_type("AWS::RDS::DBCluster") + system.of_type("AWS::RDS::DBInstance")
        if "DBClusterIdentifier" not in each.properties or each.type == "AWS::RDS::DBCluster"
    ]


def test_dev_has_one_small_instance_for_all_services(system: System) -> None:
    (instance,) = system.of_type("AWS::RDS::DBInstance")
    assert instance.properties["DBInstanceClass"] == "db.t4g.micro"
    assert instance.properties.get("MultiAZ", False) is False
    assert len(system.of_type("AWS::RDS::DBProxy")) == 1


def test_production_has_a_cluster_and_a_proxy_for_each_service(production: System) -> None:
    assert sorted(clusters(production)) == SERVICES
    targets = [
        group.properties["DBClusterIdentifiers"]
        for group in production.of_type("AWS::RDS::DBProxyTargetGroup")
    ]
    assert sorted(str(target) for target in targets) == sorted(
        str([{"Ref": cluster.id}]) for cluster in clusters(production).values()
    )


def test_each_cluster_of_production_has_a_standby_to_fail_over_to(production: System) -> None:
    zones = {
        text_of(subnet.properties["AvailabilityZone"]) for subnet in production.of_type("AWS::EC2::Subnet")
    }
    assert len(zones) >= 2
    for cluster in clusters(production).values():
        assert len(machines(production, cluster)) >= 2
        group = production.target(cluster.stack, cluster.properties["DBSubnetGroupName"])
        assert len(group.properties["SubnetIds"]) == len(zones)


def test_every_server_speaks_the_same_postgresql(system: System, production: System) -> None:
    versions = {
        server.properties["EngineVersion"].split(".")[0] for server in servers(system) + servers(production)
    }
    assert versions == {"18"}


@pytest.mark.parametrize("stage", ["system", "production"])
def test_every_server_is_encrypted_with_our_key_and_private(
    stage: str, request: pytest.FixtureRequest
) -> None:
    chosen: System = request.getfixturevalue(stage)
    for server in servers(chosen):
        assert server.properties["StorageEncrypted"] is True
        assert (
            chosen.target(server.stack, server.properties["KmsKeyId"]).properties["EnableKeyRotation"] is True
        )
    for machine in chosen.of_type("AWS::RDS::DBInstance"):
        assert machine.properties["PubliclyAccessible"] is False


@pytest.mark.parametrize("stage", ["system", "production"])
def test_rds_makes_and_changes_the_administrator_s_password(
    stage: str, request: pytest.FixtureRequest
) -> None:
    chosen: System = request.getfixturevalue(stage)
    for server in servers(chosen):
        assert server.properties["ManageMasterUserPassword"] is True
        assert "MasterUserPassword" not in server.properties
        assert "KmsKeyId" in server.properties["MasterUserSecret"]


@pytest.mark.parametrize("stage", ["system", "production"])
def test_databases_are_reached_through_proxies_that_want_tls_and_iam(
    stage: str, request: pytest.FixtureRequest
) -> None:
    chosen: System = request.getfixturevalue(stage)
    for proxy in chosen.of_type("AWS::RDS::DBProxy"):
        assert proxy.properties["RequireTLS"] is True
        assert proxy.properties["DefaultAuthScheme"] == "IAM_AUTH"
        assert "Auth" not in proxy.properties  # no password in Secrets Manager
    for server in servers(chosen):
        assert server.properties["EnableIAMDatabaseAuthentication"] is True


@pytest.mark.parametrize("stage", ["system", "production"])
def test_a_proxy_is_called_as_its_server_so_that_an_operator_knows_its_name(
    stage: str, request: pytest.FixtureRequest
) -> None:
    chosen: System = request.getfixturevalue(stage)
    names = {proxy.properties["DBProxyName"] for proxy in chosen.of_type("AWS::RDS::DBProxy")}
    assert names == {
        server.properties.get("DBClusterIdentifier") or server.properties["DBInstanceIdentifier"]
        for server in servers(chosen)
    }


@pytest.mark.parametrize("stage", ["system", "production"])
def test_a_proxy_signs_in_as_the_users_of_its_databases_and_nobody_else(
    stage: str, request: pytest.FixtureRequest
) -> None:
    chosen: System = request.getfixturevalue(stage)
    for proxy in chosen.of_type("AWS::RDS::DBProxy"):
        role = proxy.properties["RoleArn"]["Fn::GetAtt"][0]
        users = {
            text_of(resource).rsplit("/", 1)[1]
            for policy in chosen.of_type("AWS::IAM::Policy")
            if policy.stack == proxy.stack and {"Ref": role} in policy.properties["Roles"]
            for statement in policy.properties["PolicyDocument"]["Statement"]
            for resource in as_list(statement["Resource"])
        }
        own = [service for service in SERVICES if service.title() in proxy.id]
        assert users == {f"{service}_app" for service in own or SERVICES} | {"auditor"}


@pytest.mark.parametrize("stage", ["system", "production"])
def test_the_database_s_log_holds_no_values_of_statements_and_is_not_kept_for_ever(
    stage: str, request: pytest.FixtureRequest
) -> None:
    chosen: System = request.getfixturevalue(stage)
    kinds = ("AWS::RDS::DBParameterGroup", "AWS::RDS::DBClusterParameterGroup")
    groups = [group for kind in kinds for group in chosen.of_type(kind)]
    assert len(groups) == len(servers(chosen))
    for group in groups:
        parameters = group.properties["Parameters"]
        assert parameters["log_min_error_statement"] == "panic"
        assert parameters["log_error_verbosity"] == "terse"
        assert parameters["log_min_duration_statement"] == "-1"
        assert parameters["log_statement"] == "none"
        assert parameters["rds.force_ssl"] == "1"
    names = {group.properties.get("LogGroupName") for group in chosen.of_type("AWS::Logs::LogGroup")}
    for server in servers(chosen):
        kind = "cluster" if server.type == "AWS::RDS::DBCluster" else "instance"
        identifier = server.properties.get("DBClusterIdentifier") or server.properties["DBInstanceIdentifier"]
        assert f"/aws/rds/{kind}/{identifier}/postgresql" in names


def test_production_refuses_to_delete_its_data_and_can_go_back_two_weeks(production: System) -> None:
    for server in servers(production):
        assert server.properties["DeletionProtection"] is True
        assert server.properties["BackupRetentionPeriod"] >= 14
        assert production.templates[server.stack]["Resources"][server.id]["DeletionPolicy"] == "Snapshot"


def test_dev_leaves_nothing_behind(system: System) -> None:
    for server in servers(system):
        assert server.properties["DeletionProtection"] is False
        assert system.templates[server.stack]["Resources"][server.id]["DeletionPolicy"] == "Delete"


def readers_of_read_models() -> set[str]:
    """The handlers of routes that read from a standby, themselves or in their use case."""
    code = {file: file.read_text() for file in (ROOT / "functions").rglob("*.py")}
    found = {
        str(file.relative_to(ROOT)).removesuffix(".py").replace("/", ".")
        for file, text in code.items()
        if ".standby()" in text
    }
    return {
        f"functions.{file.relative_to(ROOT / 'functions').parts[0]}.routes.{file.stem}.handler"
        for file, text in code.items()
        if file.parent.name == "routes"
        and (".standby()" in text or any(_imports(text, module) for module in found))
    }


def _imports(text: str, module: str) -> bool:
    package, name = module.rsplit(".", 1)
    return re.search(rf"from {re.escape(package)} import (.*\b)?{name}\b", text) is not None


def test_read_models_are_read_from_standbys_in_production_and_from_the_writer_in_dev(
    system: System, production: System
) -> None:
    assert {
        h for h, f in system.functions.items() if "DATABASE_READER_HOST" in system.environment(f)
    } == set()
    told = {
        h: production.target(f.stack, production.environment(f)["DATABASE_READER_HOST"])
        for h, f in production.functions.items()
        if "DATABASE_READER_HOST" in production.environment(f)
    }
    assert set(told) == readers_of_read_models()
    for handler, endpoint in told.items():
        assert endpoint.properties["TargetRole"] == "READ_ONLY"
        assert handler.split(".")[1].title() in endpoint.id


def test_the_migrations_know_every_server_and_the_secret_of_its_administrator(
    system: System, production: System
) -> None:
    for stage, count in ((system, 1), (production, 5)):
        migrate = stage.functions["functions.platform.jobs.migrate.handler"]
        environment = stage.environment(migrate)
        for variable in ("ADMIN_HOST", "ADMIN_SECRET_ARN"):
            told = {str(environment[f"{service.upper()}_{variable}"]) for service in SERVICES}
            assert len(told) == count


def test_the_auditor_knows_every_proxy(system: System, production: System) -> None:
    for stage, count in ((system, 1), (production, 5)):
        environment = stage.environment(stage.functions["functions.platform.jobs.audit.handler"])
        assert len({str(environment[f"DATABASE_HOST_{service.upper()}"]) for service in SERVICES}) == count
