"""What AWS itself says before something breaks: certificates that run out, secrets and keys that fail."""

from aws_cdk import aws_events as events
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk.alarms import Alarms, described

TRAIL = "AWS Service Event via CloudTrail"
CALL = "AWS API Call via CloudTrail"


def tell(scope: Construct, alarms: Alarms, topic: sns.ITopic) -> None:
    """Put these events on the topic of alarms. They cost nothing, and come for every resource of the account."""
    notice = _Notices(scope, alarms.stage.prefix, topic).tell
    notice(
        "CertificateExpires",
        "A certificate runs out, or has.",
        "certificate-expires",
        source=["aws.acm"],
        detail_type=["ACM Certificate Approaching Expiration", "ACM Certificate Expired"],
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
        detail: dict[str, list[str]] | None = None,
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
