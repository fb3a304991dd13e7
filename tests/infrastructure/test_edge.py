"""The one public door: CloudFront, its firewall, and the lock on the API's own address."""

import json
from typing import Any

import pytest

from cdk import firewall
from cdk.edge import PROOF_HEADER
from cdk.stages import Stage
from tests.infrastructure.template import Resource, System, text_of, walk


def acl(system: System, scope: str) -> Resource:
    (found,) = [a for a in system.of_type("AWS::WAFv2::WebACL") if a.properties["Scope"] == scope]
    return found


def rules(system: System, scope: str) -> dict[str, dict[str, Any]]:
    return {rule["Name"]: rule for rule in acl(system, scope).properties["Rules"]}


def door(system: System) -> Resource:
    (found,) = [
        d
        for d in system.of_type("AWS::CloudFront::Distribution")
        if "execute-api" in text_of(d.properties["DistributionConfig"]["Origins"][0]["DomainName"])
    ]
    return found


def test_the_api_turns_away_whoever_does_not_come_through_cloudfront(system: System) -> None:
    lock = acl(system, "REGIONAL")
    assert set(lock.properties["DefaultAction"]) == {"Block"}
    (rule,) = lock.properties["Rules"]
    assert set(rule["Action"]) == {"Allow"}
    asked = rule["Statement"]["ByteMatchStatement"]
    assert asked["FieldToMatch"] == {"SingleHeader": {"Name": PROOF_HEADER.lower()}}
    assert asked["PositionalConstraint"] == "EXACTLY"

    origin = door(system).properties["DistributionConfig"]["Origins"][0]
    (sent,) = origin["OriginCustomHeaders"]
    assert sent["HeaderName"] == PROOF_HEADER
    assert sent["HeaderValue"] == asked["SearchString"]
    assert "{{resolve:secretsmanager:" in text_of(sent["HeaderValue"])

    (association,) = system.of_type("AWS::WAFv2::WebACLAssociation")
    assert system.target(association.stack, association.properties["WebACLArn"]).id == lock.id
    (stage,) = system.of_type("AWS::ApiGateway::Stage")
    assert any(
        system.target(association.stack, {"Fn::ImportValue": name}).id == stage.id
        for key, name in walk(association.properties["ResourceArn"])
        if key == "Fn::ImportValue" and "Stage" in name
    )


def test_cloudfront_speaks_tls_alone_passes_everything_on_and_keeps_nothing(system: System) -> None:
    config = door(system).properties["DistributionConfig"]
    behavior = config["DefaultCacheBehavior"]
    assert behavior["ViewerProtocolPolicy"] == "https-only"
    assert behavior["CachePolicyId"] == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"  # Managed-CachingDisabled
    assert (
        behavior["OriginRequestPolicyId"] == "b689b0a8-53d0-40ab-baf2-68738e2966ac"
    )  # AllViewerExceptHostHeader
    assert {"POST", "PUT", "PATCH", "DELETE"} < set(behavior["AllowedMethods"])
    assert config["Origins"][0]["CustomOriginConfig"]["OriginProtocolPolicy"] == "https-only"
    assert system.target("Edge", config["WebACLId"]).id == acl(system, "CLOUDFRONT").id


def test_every_address_is_the_door_s(system: System) -> None:
    told = {text_of(p.properties["Name"]).rsplit("/", 1)[1]: p for p in system.of_type("AWS::SSM::Parameter")}
    address = told["api_url"].properties["Value"]
    assert system.target("Edge", address["Fn::Join"][1][1]).id == door(system).id
    elsewhere = [
        r
        for r in system.resources
        if "execute-api" in json.dumps(r.properties) and r.type not in ("AWS::Lambda::Permission",)
    ]
    assert [r.id for r in elsewhere] == [door(system).id]


def test_the_firewall_limits_addresses_but_not_our_own_calls(system: System) -> None:
    for name in ("RequestsOfAnAddress", "SignInsOfAnAddress"):
        rule = rules(system, "CLOUDFRONT")[name]
        assert rule["Action"]["Block"]["CustomResponse"]["ResponseCode"] == 429
        limited = rule["Statement"]["RateBasedStatement"]
        assert limited["EvaluationWindowSec"] == 300
        assert limited["Limit"] > 0
        assert "OwnAddresses" in json.dumps(limited["ScopeDownStatement"])
    (ours,) = system.of_type("AWS::WAFv2::IPSet")
    assert len(ours.properties["Addresses"]) == len(system.of_type("AWS::EC2::NatGateway"))


@pytest.mark.parametrize("group", sorted(firewall.LOOK_INTO_BODIES))
def test_managed_rules_pass_over_signed_webhooks_and_templates(system: System, group: str) -> None:
    rule = rules(system, "CLOUDFRONT")[group.removeprefix("AWSManagedRules")]
    assert set(rule["OverrideAction"]) == {"None"}
    asked = rule["Statement"]["ManagedRuleGroupStatement"]
    spared = asked["ScopeDownStatement"]["NotStatement"]["Statement"]["OrStatement"]["Statements"]
    paths = [each["ByteMatchStatement"]["SearchString"] for each in spared]
    signed = {path for _, path in system.routes() if "/webhooks/" in path or path.endswith("/templates")}
    assert signed
    for path in signed:
        assert any(path.startswith(begins) for begins in paths)
    for _, path in system.routes() - {(method, path) for method, path in system.routes() if path in signed}:
        assert not any(path.startswith(begins) for begins in paths)


def test_the_firewall_s_log_holds_no_tokens(system: System) -> None:
    (logging,) = system.of_type("AWS::WAFv2::LoggingConfiguration")
    redacted = json.dumps(logging.properties["RedactedFields"])
    assert "authorization" in redacted
    assert "QueryString" in redacted


def test_a_domain_comes_with_its_certificate() -> None:
    with pytest.raises(ValueError, match="certificate"):
        Stage("x", mail_domain="x.example", web_origins=(), domain="api.x.example")
