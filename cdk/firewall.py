"""The rules of the web ACLs, in the order in which they are asked.

AWS keeps the lists of the managed groups (https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-list.html);
what they would get wrong here is said beside each.
"""

import json
from collections.abc import Mapping, Sequence

from aws_cdk import aws_wafv2 as wafv2

from cdk.stages import Stage


def _body(code: str, message: str) -> wafv2.CfnWebACL.CustomResponseBodyProperty:
    error = {"error": {"code": code, "message": message, "details": []}}
    return wafv2.CfnWebACL.CustomResponseBodyProperty(
        content_type="APPLICATION_JSON", content=json.dumps(error)
    )


TOO_MANY, FORBIDDEN = "TooMany", "Forbidden"
BODIES = {
    TOO_MANY: _body("TOO_MANY_REQUESTS", "Too many requests. Try again later."),
    FORBIDDEN: _body("FORBIDDEN", "You may not do this."),
}
"""What the firewall answers, as the API would. It knows no time and no id of a request; CloudFront gives each answer
an id in `X-Amz-Cf-Id`, which is in the firewall's log too."""
WINDOW_SECONDS = 300

Rule = wafv2.CfnWebACL.RuleProperty
Statement = wafv2.CfnWebACL.StatementProperty

# Providers sign what they send, and it is long, full of addresses and now and then of HTML; templates are HTML, sent by
# an administrator. Neither passes rules that look for attacks in a body.
WEBHOOKS = ("/api/payments/webhooks/", "/api/notifications/webhooks/")
TRUSTED_BODIES = (*WEBHOOKS, "/api/notifications/templates")

# Where a password, a code or a mail is asked for: nobody does it often.
SIGN_IN = "/api/auth/"

# Handlers set limits of their own, by route, and answer with a 413 that says so (the group's is 8 KB, less than the
# description of an event may take); markup in a text is stored as text, and escaped wherever it is shown.
COUNTED = ("SizeRestrictions_BODY", "CrossSiteScripting_BODY")

# The groups with the rules of theirs that block by themselves. Each is told what to answer, in JSON; one that AWS adds
# blocks too, with WAF's own page, and a name that AWS gives up is passed over.
MANAGED = {
    "AWSManagedRulesAmazonIpReputationList": ("AWSManagedIPReputationList", "AWSManagedReconnaissanceList"),
    "AWSManagedRulesCommonRuleSet": (
        "NoUserAgent_HEADER",
        "UserAgent_BadBots_HEADER",
        "SizeRestrictions_QUERYSTRING",
        "SizeRestrictions_Cookie_HEADER",
        "SizeRestrictions_URIPATH",
        "EC2MetaDataSSRF_BODY",
        "EC2MetaDataSSRF_COOKIE",
        "EC2MetaDataSSRF_URIPATH",
        "EC2MetaDataSSRF_QUERYARGUMENTS",
        "GenericLFI_QUERYARGUMENTS",
        "GenericLFI_URIPATH",
        "GenericLFI_BODY",
        "RestrictedExtensions_URIPATH",
        "RestrictedExtensions_QUERYARGUMENTS",
        "GenericRFI_QUERYARGUMENTS",
        "GenericRFI_BODY",
        "GenericRFI_URIPATH",
        "CrossSiteScripting_COOKIE",
        "CrossSiteScripting_QUERYARGUMENTS",
        "CrossSiteScripting_URIPATH",
    ),
    "AWSManagedRulesKnownBadInputsRuleSet": (
        "JavaDeserializationRCE_HEADER",
        "JavaDeserializationRCE_BODY",
        "JavaDeserializationRCE_URIPATH",
        "JavaDeserializationRCE_QUERYSTRING",
        "Host_localhost_HEADER",
        "PROPFIND_METHOD",
        "ExploitablePaths_URIPATH",
        "Log4JRCE_HEADER",
        "Log4JRCE_QUERYSTRING",
        "Log4JRCE_URIPATH",
        "Log4JRCE_BODY",
    ),
    "AWSManagedRulesSQLiRuleSet": (
        "SQLi_QUERYARGUMENTS",
        "SQLiExtendedPatterns_QUERYARGUMENTS",
        "SQLi_BODY",
        "SQLiExtendedPatterns_BODY",
        "SQLi_COOKIE",
    ),
}
COUNTED_OF = {"AWSManagedRulesCommonRuleSet": COUNTED}
LOOK_INTO_BODIES = MANAGED.keys() - {"AWSManagedRulesAmazonIpReputationList"}


def rules(stage: Stage, own_addresses: str) -> list[Rule]:
    """What comes through CloudFront passes these. `own_addresses` is the ARN of the set of our NAT's addresses.

    A provider sends the webhooks of all sales from a few addresses, and several for each: these have a limit of their
    own.
    """
    webhook = _either(*map(_path, WEBHOOKS))
    limits = [
        _limit(
            "RequestsOfAnAddress",
            stage.requests_of_an_address,
            _both(_not(webhook), _not(_from(own_addresses))),
        ),
        _limit("WebhooksOfAnAddress", stage.webhooks_of_an_address, webhook),
        _limit(
            "SignInsOfAnAddress",
            stage.sign_ins_of_an_address,
            _both(_path(SIGN_IN), _not(_from(own_addresses))),
        ),
    ]
    groups = [_managed(name, blocking, COUNTED_OF.get(name, ())) for name, blocking in MANAGED.items()]
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


def answer(
    status: int, body: str, headers: Mapping[str, str] | None = None
) -> wafv2.CfnWebACL.BlockActionProperty:
    """Block, with one of `BODIES`, which the web ACL has to have."""
    given = {"Cache-Control": "no-store", **(headers or {})}
    return wafv2.CfnWebACL.BlockActionProperty(
        custom_response=wafv2.CfnWebACL.CustomResponseProperty(
            response_code=status,
            custom_response_body_key=body,
            response_headers=[
                wafv2.CfnWebACL.CustomHTTPHeaderProperty(name=name, value=value)
                for name, value in given.items()
            ],
        )
    )


def visible(name: str) -> wafv2.CfnWebACL.VisibilityConfigProperty:
    """A metric for whatever has this name, and no samples: they would show tokens to whoever opens the console."""
    return wafv2.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=name, sampled_requests_enabled=False
    )


_AS_IT_IS = wafv2.CfnWebACL.TextTransformationProperty(priority=0, type="NONE")
# API Gateway takes `/api/%61uth/login` for `/api/auth/login`: rules about a path do too, or they are stepped round.
_AS_THE_API_READS_IT = [
    wafv2.CfnWebACL.TextTransformationProperty(priority=order, type=type)
    for order, type in enumerate(("URL_DECODE", "NORMALIZE_PATH"))
]


def _limit(name: str, requests: int, of: Statement) -> Rule:
    """At most so many requests of an address in five minutes; more get the API's 429."""
    rate = wafv2.CfnWebACL.RateBasedStatementProperty(
        aggregate_key_type="IP",
        limit=requests,
        evaluation_window_sec=WINDOW_SECONDS,
        scope_down_statement=of,
    )
    return Rule(
        name=name,
        priority=0,
        action=wafv2.CfnWebACL.RuleActionProperty(
            block=answer(429, TOO_MANY, {"Retry-After": str(WINDOW_SECONDS)})
        ),
        statement=Statement(rate_based_statement=rate),
        visibility_config=visible(name),
    )


def _managed(name: str, blocking: Sequence[str], counted: Sequence[str]) -> Rule:
    actions = dict.fromkeys(blocking, wafv2.CfnWebACL.RuleActionProperty(block=answer(403, FORBIDDEN)))
    actions |= dict.fromkeys(counted, wafv2.CfnWebACL.RuleActionProperty(count={}))
    group = wafv2.CfnWebACL.ManagedRuleGroupStatementProperty(
        vendor_name="AWS",
        name=name,
        rule_action_overrides=[
            wafv2.CfnWebACL.RuleActionOverrideProperty(name=rule, action_to_use=action)
            for rule, action in actions.items()
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
            text_transformations=_AS_THE_API_READS_IT,
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
