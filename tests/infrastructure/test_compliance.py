"""The account is watched: who did what, and whether what we promise is still so."""

from cdk.compliance import RULES
from tests.infrastructure.template import System, as_list


def test_one_stage_watches_the_account(system: System, production: System) -> None:
    for kind in ("AWS::CloudTrail::Trail", "AWS::Config::ConfigurationRecorder"):
        assert len(production.of_type(kind)) == 1
        assert system.of_type(kind) == []


def test_the_trail_covers_every_region_and_cannot_be_forged_or_read_by_others(production: System) -> None:
    (trail,) = production.of_type("AWS::CloudTrail::Trail")
    assert trail.properties["IsLogging"] is True
    assert trail.properties["IsMultiRegionTrail"] is True
    assert trail.properties["IncludeGlobalServiceEvents"] is True
    assert trail.properties["EnableLogFileValidation"] is True
    key = production.target(trail.stack, trail.properties["KMSKeyId"])
    assert key.properties["EnableKeyRotation"] is True
    allowed = [
        statement
        for statement in key.properties["KeyPolicy"]["Statement"]
        if statement["Principal"].get("Service") == "cloudtrail.amazonaws.com"
    ]
    assert any("kms:GenerateDataKey*" in as_list(s["Action"]) and "Condition" in s for s in allowed)


def test_reading_an_export_is_in_the_trail(production: System) -> None:
    (trail,) = production.of_type("AWS::CloudTrail::Trail")
    watched = [
        resource["Type"]
        for selector in trail.properties["EventSelectors"]
        for resource in selector.get("DataResources", ())
    ]
    assert watched == ["AWS::S3::Object"]


def test_the_recorder_records_every_type_and_leaves_its_history(production: System) -> None:
    (recorder,) = production.of_type("AWS::Config::ConfigurationRecorder")
    assert recorder.properties["RecordingGroup"] == {"AllSupported": True, "IncludeGlobalResourceTypes": True}
    (channel,) = production.of_type("AWS::Config::DeliveryChannel")
    bucket = production.target(channel.stack, channel.properties["S3BucketName"])
    assert bucket.properties["VersioningConfiguration"] == {"Status": "Enabled"}


def test_the_recorder_may_do_with_its_bucket_what_config_tries_before_it_begins(production: System) -> None:
    allowed = {
        action: statement.get("Condition")
        for policy in production.of_type("AWS::IAM::Policy")
        if policy.id.startswith("Recorder")
        for statement in policy.properties["PolicyDocument"]["Statement"]
        for action in as_list(statement["Action"])
    }
    owner = {"StringLike": {"s3:x-amz-acl": "bucket-owner-full-control"}}
    assert allowed == {
        "s3:GetBucketAcl": None,
        "s3:PutObject": owner,
        "s3:PutObjectAcl": owner,
        "kms:Decrypt": None,
        "kms:GenerateDataKey": None,
    }


def test_there_is_a_rule_of_aws_s_for_each_promise(production: System) -> None:
    declared = {
        rule.properties["Source"]["SourceIdentifier"]: rule.properties["Source"]["Owner"]
        for rule in production.of_type("AWS::Config::ConfigRule")
    }
    assert declared == {identifier: "AWS" for identifier, _ in RULES.values()}


def test_notices_are_asked_for_where_they_come_and_a_broken_promise_is_one(
    system: System, production: System
) -> None:
    """Without a trail EventBridge hears of no call, and without rules Config has nothing to say."""
    asked = {
        stage: {rule.properties["EventPattern"]["source"][0] for rule in each.of_type("AWS::Events::Rule")}
        for stage, each in (("dev", system), ("prod", production))
    }
    assert asked == {"dev": {"aws.acm"}, "prod": {"aws.acm", "aws.secretsmanager", "aws.kms", "aws.config"}}
    (broken,) = [r for r in production.of_type("AWS::Events::Rule") if r.id == "PromiseBroken"]
    names = {rule.properties["ConfigRuleName"] for rule in production.of_type("AWS::Config::ConfigRule")}
    (heard,) = broken.properties["EventPattern"]["detail"]["configRuleName"]
    assert all(name.startswith(heard["prefix"]) for name in names)
    (target,) = broken.properties["Targets"]
    assert production.target(broken.stack, target["Arn"]).properties["TopicName"] == "box-office-prod-alarms"


def test_rules_come_after_what_records(production: System) -> None:
    resources = production.templates["Compliance"]["Resources"]
    kinds = {"AWS::Config::ConfigurationRecorder", "AWS::Config::DeliveryChannel"}
    for resource in resources.values():
        if resource["Type"] == "AWS::Config::ConfigRule":
            assert kinds <= {resources[name]["Type"] for name in as_list(resource["DependsOn"])}


def test_whoever_is_on_call_gets_a_mail(production: System) -> None:
    mails = [s for s in production.of_type("AWS::SNS::Subscription") if s.properties["Protocol"] == "email"]
    assert [s.properties["Endpoint"] for s in mails] == ["on-call@box-office.example"]


def test_connections_that_were_refused_are_written_down(system: System, production: System) -> None:
    (log,) = production.of_type("AWS::EC2::FlowLog")
    assert log.properties["TrafficType"] == "REJECT"
    assert system.of_type("AWS::EC2::FlowLog") == []


def test_what_holds_data_opens_no_connection_and_nothing_is_open_to_the_world(production: System) -> None:
    groups = production.of_type("AWS::EC2::SecurityGroup")
    for group in groups:
        assert "SecurityGroupIngress" not in group.properties
        if group.id.startswith(("Databases", "Cache")):
            (nothing,) = group.properties["SecurityGroupEgress"]
            assert nothing["CidrIp"] == "255.255.255.255/32"
        elif group.id.startswith(("Functions", "Migrations")):
            (out,) = group.properties["SecurityGroupEgress"]
            assert (out["FromPort"], out["ToPort"], out["IpProtocol"]) == (443, 443, "tcp")
    for rule in production.of_type("AWS::EC2::SecurityGroupIngress"):
        assert "SourceSecurityGroupId" in rule.properties
        assert rule.properties["FromPort"] in (5432, 6379)
