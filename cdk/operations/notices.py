"""What AWS itself says before something breaks, or when a promise is broken.

What comes "via CloudTrail" comes only where a trail logs, and what Config says only where its rules are: both have the
stage that watches the account, and hear of every resource in it, those of other stages included.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
"""

from typing import Any

from aws_cdk import aws_events as events
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk.alarms import Alarms, described

TRAIL = "AWS Service Event via CloudTrail"
CALL = "AWS API Call via CloudTrail"


def tell(scope: Construct, alarms: Alarms, topic: sns.ITopic) -> None:
    """Put these events on the topic of alarms. They cost nothing."""
    stage = alarms.stage
    notice = _Notices(scope, stage.prefix, topic).tell
    notice(
        "CertificateExpires",
        "A certificate runs out, or has.",
        "certificate-expires",
        source=["aws.acm"],
        detail_type=["ACM Certificate Approaching Expiration", "ACM Certificate Expired"],
    )
    if not stage.account_guard:
        return
    notice(
        "PromiseBroken",
        "A rule of AWS Config found that something is not as we promise it.",
        "promise-broken",
        source=["aws.config"],
        detail_type=["Config Rules Compliance Change"],
        detail={
            "messageType": ["ComplianceChangeNotification"],
            "configRuleName": [{"prefix": f"{stage.prefix}-"}],
            "newEvaluationResult": {"complianceType": ["NON_COMPLIANT"]},
        },
    )
    notice(
        "SecretNotRotated",
        "Secrets Manager could not rotate a secret.",
        "secret-not-rotated",
        source=["aws.secretsmanager"],
        detail_type=[TRAIL],
        detail={"eventName": ["RotationFailed"]},
    )
    notice(
        "KeyGoesAway",
        "Somebody disables a key that data is encrypted with, or has it deleted.",
        "key-goes-away",
        source=["aws.kms"],
        detail_type=[CALL],
        detail={"eventName": ["DisableKey", "ScheduleKeyDeletion"]},
    )


class _Notices:
    def __init__(self, scope: Construct, prefix: str, topic: sns.ITopic) -> None:
        self._scope, self._prefix, self._topic = scope, prefix, topic

    def tell(
        self,
        name: str,
        meaning: str,
        page: str,
        *,
        source: list[str],
        detail_type: list[str],
        detail: dict[str, Any] | None = None,
    ) -> None:
        pattern = {"source": source, "detail-type": detail_type} | ({"detail": detail} if detail else {})
        events.CfnRule(
            self._scope,
            name,
            name=f"{self._prefix}-{name}",
            description=described(meaning, page),
            event_pattern=pattern,
            # The topic's own policy lets EventBridge in (cdk.messaging).
            targets=[events.CfnRule.TargetProperty(id="Alarms", arn=self._topic.topic_arn)],
        )
