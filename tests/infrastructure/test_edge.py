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
    for name in ("RequestsOfAnAddress", "SignInsOfAnAddress", "WebhooksOfAnAddress"):
        rule = rules(system, "CLOUDFRONT")[name]
        answer = rule["Action"]["Block"]["CustomResponse"]
        assert answer["ResponseCode"] == 429
        assert {"Name": "Retry-After", "Value": "300"} in answer["ResponseHeaders"]
        limited = rule["Statement"]["RateBasedStatement"]
        assert limited["EvaluationWindowSec"] == 300
        assert limited["Limit"] > 0
        spares_us = "OwnAddresses" in json.dumps(limited["ScopeDownStatement"])
        assert spares_us == (name != "WebhooksOfAnAddress")
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


def test_a_provider_s_webhooks_are_limited_apart_from_people(system: System) -> None:
    """All sales' webhooks come from a few addresses; a limit meant for people would hold them up."""
    found = rules(system, "CLOUDFRONT")
    webhooks = found["WebhooksOfAnAddress"]["Statement"]["RateBasedStatement"]
    people = found["RequestsOfAnAddress"]["Statement"]["RateBasedStatement"]
    assert webhooks["Limit"] >= 10 * people["Limit"]
    for path in firewall.WEBHOOKS:
        assert path in json.dumps(webhooks["ScopeDownStatement"])
    first, _ = people["ScopeDownStatement"]["AndStatement"]["Statements"]
    assert first["NotStatement"]["Statement"] == webhooks["ScopeDownStatement"]


def test_rules_about_a_path_read_it_as_the_api_does(system: System) -> None:
    """`/api/%61uth/login` and `/api/x/../auth/login` are sign-ins, and no way round the rules about bodies."""
    asked = [
        match
        for key, match in walk(acl(system, "CLOUDFRONT").properties["Rules"])
        if key == "ByteMatchStatement" and "UriPath" in match["FieldToMatch"]
    ]
    assert len(asked) > 5
    for match in asked:
        assert [each["Type"] for each in match["TextTransformations"]] == ["URL_DECODE", "NORMALIZE_PATH"]


@pytest.mark.parametrize("scope", ["CLOUDFRONT", "REGIONAL"])
def test_whatever_is_blocked_is_told_so_in_json(system: System, scope: str) -> None:
    found = acl(system, scope).properties
    bodies = {key: json.loads(body["Content"]) for key, body in found["CustomResponseBodies"].items()}
    for body in bodies.values():
        assert set(body["error"]) == {"code", "message", "details"}
    blocks = [block for key, block in walk([found["Rules"], found["DefaultAction"]]) if key == "Block"]
    assert len(blocks) >= (1 if scope == "REGIONAL" else 40)
    for block in blocks:
        answer = block["CustomResponse"]
        assert (
            bodies[answer["CustomResponseBodyKey"]]["error"]["code"]
            == {
                403: "FORBIDDEN",
                429: "TOO_MANY_REQUESTS",
            }[answer["ResponseCode"]]
        )
        assert {"Name": "Cache-Control", "Value": "no-store"} in answer["ResponseHeaders"]


def test_large_bodies_and_markup_are_left_to_the_handlers(system: System) -> None:
    group = rules(system, "CLOUDFRONT")["CommonRuleSet"]["Statement"]["ManagedRuleGroupStatement"]
    counted = {o["Name"] for o in group["RuleActionOverrides"] if set(o["ActionToUse"]) == {"Count"}}
    assert counted == {"SizeRestrictions_BODY", "CrossSiteScripting_BODY"}


def test_nobody_has_addresses_without_end(system: System) -> None:
    """One holder of IPv6 has 2^64 of them, so that a limit by address would be none."""
    assert door(system).properties["DistributionConfig"]["IPV6Enabled"] is False
    assert all(limit["AggregateKeyType"] == "IP" for limit in limits(system))


def limits(system: System) -> list[dict[str, Any]]:
    found = [
        rule["Statement"]["RateBasedStatement"]
        for rule in acl(system, "CLOUDFRONT").properties["Rules"]
        if "RateBasedStatement" in rule["Statement"]
    ]
    assert found
    return found


def test_the_firewall_s_log_holds_no_tokens(system: System) -> None:
    (logging,) = system.of_type("AWS::WAFv2::LoggingConfiguration")
    redacted = json.dumps(logging.properties["RedactedFields"])
    assert "authorization" in redacted
    assert "QueryString" in redacted


def test_a_domain_comes_with_its_certificate() -> None:
    with pytest.raises(ValueError, match="certificate"):
        Stage("x", mail_domain="x.example", web_origins=(), domain="api.x.example")
