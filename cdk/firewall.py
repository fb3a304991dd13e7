"""The rules of the web ACLs, in the order in which they are asked.

AWS keeps the lists of the managed groups (https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-list.html);
what they would get wrong here is said beside each.
"""

import json
from collections.abc import Sequence

from aws_cdk import aws_wafv2 as wafv2

from cdk.stages import Stage

TOO_MANY = "TooMany"
BODIES = {
    TOO_MANY: wafv2.CfnWebACL.CustomResponseBodyProperty(
        content_type="APPLICATION_JSON",
        content=json.dumps(
            {
                "error": {
                    "code": "TOO_MANY_REQUESTS",
                    "message": "Too many requests. Try again later.",
                    "details": [],
                }
            }
        ),
    )
}
"""What is answered to those beyond a limit, as the API would; the firewall knows no time and no id of a request."""

Rule = wafv2.CfnWebACL.RuleProperty
Statement = wafv2.CfnWebACL.StatementProperty

# Providers sign what they send, and it is long, full of addresses and now and then of HTML; templates are HTML, sent by
# an administrator. Neither passes rules that look for attacks in a body.
TRUSTED_BODIES = ("/api/payments/webhooks/", "/api/notifications/webhooks/", "/api/notifications/templates")

# Where a password, a code or a mail is asked for: nobody does it often.
SIGN_IN = "/api/auth/"

# Handlers set limits of their own, by route, and answer with a 413 that says so (the group's is 8 KB, less than the
# description of an event may take); markup in a text is stored as text, and escaped wherever it is shown.
COUNTED = ("SizeRestrictions_BODY", "CrossSiteScripting_BODY")

MANAGED = {
    "AWSManagedRulesAmazonIpReputationList": (),
    "AWSManagedRulesCommonRuleSet": COUNTED,
    "AWSManagedRulesKnownBadInputsRuleSet": (),
    "AWSManagedRulesSQLiRuleSet": (),
}
LOOK_INTO_BODIES = MANAGED.keys() - {"AWSManagedRulesAmazonIpReputationList"}


def rules(stage: Stage, own_addresses: str) -> list[Rule]:
    """What comes through CloudFront passes these. `own_addresses` is the ARN of the set of our NAT's addresses."""
    limits = [
        _limit("RequestsOfAnAddress", stage.requests_of_an_address, _not(_from(own_addresses))),
        _limit(
            "SignInsOfAnAddress",
            stage.sign_ins_of_an_address,
            _both(_path(SIGN_IN), _not(_from(own_addresses))),
        ),
    ]
    groups = [_managed(name, counted) for name, counted in MANAGED.items()]
    return [_numbered(rule, priority) for priority, rule in enumerate([*limits, *groups])]


def admit_header(name: str, values: Sequence[str]) -> Rule:
    """Let pass what has one of these values in a header."""
    matches = [
        Statement(
            byte_match_statement=wafv2.CfnWebACL.ByteMatchStatementProperty(
                field_to_match=wafv2.CfnWebACL.FieldToMatchProperty(single_header={"Name": name.lower()}),
                positional_constraint="EXACTLY",
                search_string=value,
                text_transformations=[_AS_IT_IS],
            )
        )
        for value in values
    ]
    either = wafv2.CfnWebACL.OrStatementProperty(statements=matches)
    return Rule(
        name="ThroughCloudFront",
        priority=0,
        action=wafv2.CfnWebACL.RuleActionProperty(allow={}),
        statement=matches[0] if len(matches) == 1 else Statement(or_statement=either),
        visibility_config=visible("ThroughCloudFront"),
    )


def visible(name: str) -> wafv2.CfnWebACL.VisibilityConfigProperty:
    """A metric for whatever has this name, and no samples: they would show tokens to whoever opens the console."""
    return wafv2.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=name, sampled_requests_enabled=False
    )


_AS_IT_IS = wafv2.CfnWebACL.TextTransformationProperty(priority=0, type="NONE")


def _limit(name: str, requests: int, of: Statement) -> Rule:
    """At most so many requests of an address in five minutes; more get the API's 429."""
    rate = wafv2.CfnWebACL.RateBasedStatementProperty(
        aggregate_key_type="IP", limit=requests, evaluation_window_sec=300, scope_down_statement=of
    )
    too_many = wafv2.CfnWebACL.CustomResponseProperty(
        response_code=429,
        custom_response_body_key=TOO_MANY,
        response_headers=[wafv2.CfnWebACL.CustomHTTPHeaderProperty(name="Retry-After", value="300")],
    )
    return Rule(
        name=name,
        priority=0,
        action=wafv2.CfnWebACL.RuleActionProperty(
            block=wafv2.CfnWebACL.BlockActionProperty(custom_response=too_many)
        ),
        statement=Statement(rate_based_statement=rate),
        visibility_config=visible(name),
    )


def _managed(name: str, counted: Sequence[str]) -> Rule:
    counting = wafv2.CfnWebACL.RuleActionProperty(count={})
    group = wafv2.CfnWebACL.ManagedRuleGroupStatementProperty(
        vendor_name="AWS",
        name=name,
        rule_action_overrides=[
            wafv2.CfnWebACL.RuleActionOverrideProperty(name=rule, action_to_use=counting) for rule in counted
        ],
        scope_down_statement=_not(_either(*map(_path, TRUSTED_BODIES))) if name in LOOK_INTO_BODIES else None,
    )
    return Rule(
        name=name.removeprefix("AWSManagedRules"),
        priority=0,
        override_action=wafv2.CfnWebACL.OverrideActionProperty(none={}),
        statement=Statement(managed_rule_group_statement=group),
        visibility_config=visible(name.removeprefix("AWSManagedRules")),
    )


def _numbered(rule: Rule, priority: int) -> Rule:
    return Rule(**{**rule._values, "priority": priority})


def _path(begins: str) -> Statement:
    # As CloudFront sees it: without the stage.
    return Statement(
        byte_match_statement=wafv2.CfnWebACL.ByteMatchStatementProperty(
            field_to_match=wafv2.CfnWebACL.FieldToMatchProperty(uri_path={}),
            positional_constraint="STARTS_WITH",
            search_string=begins,
            text_transformations=[_AS_IT_IS],
        )
    )


def _from(addresses: str) -> Statement:
    return Statement(ip_set_reference_statement={"arn": addresses})


def _not(statement: Statement) -> Statement:
    return Statement(not_statement=wafv2.CfnWebACL.NotStatementProperty(statement=statement))


def _both(*statements: Statement) -> Statement:
    return Statement(and_statement=wafv2.CfnWebACL.AndStatementProperty(statements=list(statements)))


def _either(*statements: Statement) -> Statement:
    return Statement(or_statement=wafv2.CfnWebACL.OrStatementProperty(statements=list(statements)))
