"""Everything that lies still is encrypted, and everything that moves goes by TLS."""

import json

import pytest

from tests.infrastructure.template import Resource, System, text_of

STAGES = pytest.mark.parametrize("stage", ["system", "production"])


def named(request: pytest.FixtureRequest, stage: str) -> System:
    system: System = request.getfixturevalue(stage)
    return system


def is_ours(system: System, resource: Resource, key: object) -> bool:
    return isinstance(key, dict) and system.target(resource.stack, key).type == "AWS::KMS::Key"


@STAGES
def test_every_log_group_is_encrypted_with_the_key_of_the_logs(
    request: pytest.FixtureRequest, stage: str
) -> None:
    system = named(request, stage)
    groups = system.of_type("AWS::Logs::LogGroup")
    assert len(groups) > 100
    for group in groups:
        key = system.target(group.stack, group.properties["KmsKeyId"])
        assert (key.stack, key.id[:6]) == ("Network", "LogKey"), group
        assert "RetentionInDays" in group.properties


@STAGES
def test_every_function_and_every_proxy_writes_into_a_log_group_that_is_declared(
    request: pytest.FixtureRequest, stage: str
) -> None:
    """One that AWS makes by itself has no key of ours, and is kept for ever."""
    system = named(request, stage)
    for function in system.of_type("AWS::Lambda::Function"):
        group = system.target(function.stack, function.properties["LoggingConfig"]["LogGroup"])
        assert group.type == "AWS::Logs::LogGroup", function
    names = {group.properties.get("LogGroupName") for group in system.of_type("AWS::Logs::LogGroup")}
    proxies = system.of_type("AWS::RDS::DBProxy")
    assert proxies
    for proxy in proxies:
        assert f"/aws/rds/proxy/{proxy.properties['DBProxyName']}" in names


@STAGES
def test_cloudwatch_logs_may_use_that_key_for_our_log_groups_alone(
    request: pytest.FixtureRequest, stage: str
) -> None:
    (key,) = [k for k in named(request, stage).of_type("AWS::KMS::Key") if k.id.startswith("LogKey")]
    (logs,) = [s for s in key.properties["KeyPolicy"]["Statement"] if "Service" in s["Principal"]]
    assert logs["Principal"]["Service"] == "logs.us-east-1.amazonaws.com"
    ((operator, asked),) = logs["Condition"].items()
    groups = text_of(asked["kms:EncryptionContext:aws:logs:arn"])
    assert operator == "ArnLike"
    assert groups.endswith(":log-group:*")
    assert "AWS::AccountId" in groups


@STAGES
def test_every_key_of_ours_is_replaced_each_year(request: pytest.FixtureRequest, stage: str) -> None:
    for key in named(request, stage).of_type("AWS::KMS::Key"):
        assert key.properties["EnableKeyRotation"] is True, key


@STAGES
def test_every_queue_and_topic_has_a_key_of_ours(request: pytest.FixtureRequest, stage: str) -> None:
    system = named(request, stage)
    for resource in system.of_type("AWS::SQS::Queue") + system.of_type("AWS::SNS::Topic"):
        assert is_ours(system, resource, resource.properties["KmsMasterKeyId"]), resource


@STAGES
def test_every_secret_that_a_function_reads_has_a_key_of_ours(
    request: pytest.FixtureRequest, stage: str
) -> None:
    """What CloudFront proves itself with is read by CloudFormation alone, and encrypted with AWS's key for secrets."""
    system = named(request, stage)
    with_aws_key = [
        secret.id
        for secret in system.of_type("AWS::SecretsManager::Secret")
        if "KmsKeyId" not in secret.properties
    ]
    assert all(id_.startswith("OriginKey") for id_ in with_aws_key), with_aws_key
    for function in system.functions.values():
        assert "OriginKey" not in json.dumps(system.environment(function))


@STAGES
def test_every_database_and_its_backups_are_encrypted(request: pytest.FixtureRequest, stage: str) -> None:
    system = named(request, stage)
    servers = system.of_type("AWS::RDS::DBInstance") + system.of_type("AWS::RDS::DBCluster")
    assert servers
    for server in servers:
        in_cluster = "DBClusterIdentifier" in server.properties
        assert in_cluster or server.properties["StorageEncrypted"] is True, server
    for cache in system.of_type("AWS::ElastiCache::ServerlessCache"):
        assert is_ours(system, cache, cache.properties["KmsKeyId"])


@STAGES
def test_proxies_take_tls_alone_and_so_do_the_servers(request: pytest.FixtureRequest, stage: str) -> None:
    system = named(request, stage)
    proxies = system.of_type("AWS::RDS::DBProxy")
    assert proxies
    assert all(proxy.properties["RequireTLS"] is True for proxy in proxies)
    groups = system.of_type("AWS::RDS::DBParameterGroup") + system.of_type(
        "AWS::RDS::DBClusterParameterGroup"
    )
    assert any(group.properties["Parameters"].get("rds.force_ssl") == "1" for group in groups)


@STAGES
def test_distributions_speak_tls_and_take_no_plain_request(
    request: pytest.FixtureRequest, stage: str
) -> None:
    for distribution in named(request, stage).of_type("AWS::CloudFront::Distribution"):
        config = distribution.properties["DistributionConfig"]
        for behavior in [config["DefaultCacheBehavior"], *config.get("CacheBehaviors", [])]:
            assert behavior["ViewerProtocolPolicy"] in ("https-only", "redirect-to-https")
        if "AcmCertificateArn" in config.get("ViewerCertificate", {}):
            assert config["ViewerCertificate"]["MinimumProtocolVersion"] >= "TLSv1.2_2021"
        for origin in config["Origins"]:
            if custom := origin.get("CustomOriginConfig"):
                assert custom["OriginProtocolPolicy"] == "https-only"
                assert custom["OriginSSLProtocols"] == ["TLSv1.2"]


@STAGES
def test_no_security_group_lets_an_address_in(request: pytest.FixtureRequest, stage: str) -> None:
    """Only another group of ours, and only to a port that something listens on."""
    system = named(request, stage)
    rules = [(r, r.properties) for r in system.of_type("AWS::EC2::SecurityGroupIngress")]
    for group in system.of_type("AWS::EC2::SecurityGroup"):
        rules += [(group, rule) for rule in group.properties.get("SecurityGroupIngress", [])]
    assert rules
    for where, rule in rules:
        assert "CidrIp" not in rule, where
        assert "CidrIpv6" not in rule, where
        assert rule["IpProtocol"] == "tcp"
        assert "SourceSecurityGroupId" in rule
        ports = (rule["FromPort"], rule["ToPort"])
        assert ports in ((5432, 5432), (6379, 6380)) or "Endpoint.Port" in json.dumps(ports), where
