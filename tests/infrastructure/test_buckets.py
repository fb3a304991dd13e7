"""Buckets: private, encrypted, told of by S3 to our queues alone, and read through the distribution."""

import json

from tests.infrastructure.template import Resource, System, as_list, text_of


def policy_of(system: System, bucket: Resource) -> list[dict[str, object]]:
    (policy,) = [
        p
        for p in system.of_type("AWS::S3::BucketPolicy")
        if system.target(p.stack, p.properties["Bucket"]).id == bucket.id
    ]
    statements: list[dict[str, object]] = policy.properties["PolicyDocument"]["Statement"]
    return statements


def pictures(system: System) -> Resource:
    (found,) = [
        b
        for b in system.of_type("AWS::S3::Bucket")
        if text_of(b.properties["BucketName"]).startswith("box-office-dev-pictures-")
    ]
    return found


def test_every_bucket_is_private_encrypted_and_refuses_plain_connections(system: System) -> None:
    buckets = system.of_type("AWS::S3::Bucket")
    assert buckets
    for bucket in buckets:
        blocked = bucket.properties["PublicAccessBlockConfiguration"]
        assert len(blocked) == 4
        assert all(blocked.values())
        assert bucket.properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        denied = [s for s in policy_of(system, bucket) if s["Effect"] == "Deny"]
        assert '{"aws:SecureTransport": "false"}' in json.dumps(denied)


def test_every_bucket_forgets_what_was_only_passing_through(system: System) -> None:
    for bucket in system.of_type("AWS::S3::Bucket"):
        rules = bucket.properties["LifecycleConfiguration"]["Rules"]
        assert any(rule["Status"] == "Enabled" and rule["ExpirationInDays"] >= 1 for rule in rules)


def test_uploads_are_told_to_our_queue_alone_and_only_by_our_bucket(system: System) -> None:
    bucket = pictures(system)
    told = bucket.properties["NotificationConfiguration"]
    assert set(told) == {"QueueConfigurations"}
    (queue,) = told["QueueConfigurations"]
    target = system.target(bucket.stack, queue["Queue"])
    assert target.properties["QueueName"] == "box-office-dev-events-images"
    assert queue["Filter"]["S3Key"]["Rules"] == [{"Name": "prefix", "Value": "uploads/"}]

    admitted = [
        statement
        for policy in system.of_type("AWS::SQS::QueuePolicy")
        for statement in policy.properties["PolicyDocument"]["Statement"]
        if "s3.amazonaws.com" in str(statement["Principal"])
    ]
    assert len(admitted) == 1
    source = text_of(admitted[0]["Condition"]["ArnEquals"]["aws:SourceArn"])
    assert source.split(":::")[1].startswith("box-office-dev-pictures-")
    assert "aws:SourceAccount" in admitted[0]["Condition"]["StringEquals"]
    key = system.target(target.stack, target.properties["KmsMasterKeyId"])
    principals = [s["Principal"] for s in key.properties["KeyPolicy"]["Statement"]]
    services = [name for p in principals for name in as_list(p.get("Service", []))]
    assert "s3.amazonaws.com" in services, "else S3 cannot write to the encrypted queue, and says nothing"


def test_browsers_upload_from_the_web_front_end_only(system: System, production: System) -> None:
    (rule,) = pictures(system).properties["CorsConfiguration"]["CorsRules"]
    assert rule["AllowedMethods"] == ["POST"]
    assert "*" not in rule["AllowedOrigins"]
    functions = system.environment(system.functions["functions.events.routes.upload_image.handler"])
    assert ",".join(rule["AllowedOrigins"]) == functions["WEB_ORIGINS"]


def test_the_distribution_shows_what_was_checked_and_never_an_upload(system: System) -> None:
    (distribution,) = [d for d in system.of_type("AWS::CloudFront::Distribution") if d.stack == "Buckets"]
    config = distribution.properties["DistributionConfig"]
    (origin,) = config["Origins"]
    assert origin["OriginPath"] == "/public"
    assert origin["OriginAccessControlId"]
    assert config["DefaultCacheBehavior"]["ViewerProtocolPolicy"] == "redirect-to-https"
    statements = [
        (s["Effect"], text_of(resource).rsplit("}", 1)[1])
        for s in policy_of(system, pictures(system))
        if "cloudfront.amazonaws.com" in str(s["Principal"])
        for resource in as_list(s["Resource"])
    ]
    assert sorted(statements) == [("Allow", "/*"), ("Deny", "/uploads/*")]


def test_whoever_shows_an_event_knows_where_pictures_are(system: System) -> None:
    for handler, function in system.functions.items():
        if handler.startswith("functions.events.routes.") and "PICTURES_URL" not in system.environment(
            function
        ):
            name = handler.split(".")[3]
            assert name in (
                "create_category",
                "delete_event",
                "event_sales",
                "health",
                "list_categories",
            ), name
