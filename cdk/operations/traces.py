"""X-Ray: how many requests are traced, and that SNS may say where a message went."""

from aws_cdk import Stack
from aws_cdk import aws_xray as xray
from constructs import Construct

from cdk.stages import Stage

FIXED, RATE = 1, 0.05


def sample(scope: Construct, stage: Stage) -> None:
    """One request a second of the API, and one in twenty of those beyond: what begins there is traced to its end, since
    whether it is goes along in the header, through functions, saga and queues.
    """
    xray.CfnSamplingRule(
        scope,
        "Sampling",
        sampling_rule=xray.CfnSamplingRule.SamplingRuleProperty(
            rule_name=stage.prefix,
            priority=100,
            reservoir_size=FIXED,
            fixed_rate=RATE,
            service_name=f"{stage.prefix}/{stage.name}",  # as API Gateway calls a stage
            service_type="AWS::ApiGateway::Stage",
            host="*",
            http_method="*",
            url_path="*",
            resource_arn="*",
            version=1,
        ),
    )


def let_topics_trace(stack: Stack, stage: Stage) -> None:
    """SNS sends its part of a trace under its own name, which X-Ray has to admit.

    https://docs.aws.amazon.com/sns/latest/dg/sns-active-tracing.html
    """
    statement = {
        "Sid": "TopicsTrace",
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": ["xray:PutTraceSegments", "xray:GetSamplingRules", "xray:GetSamplingTargets"],
        "Resource": "*",
        "Condition": {
            "StringEquals": {"aws:SourceAccount": stack.account},
            "StringLike": {"aws:SourceArn": stack.format_arn(service="sns", resource=f"{stage.prefix}-*")},
        },
    }
    xray.CfnResourcePolicy(
        stack,
        "TopicsTrace",
        policy_name=f"{stage.prefix}-topics",
        policy_document=stack.to_json_string({"Version": "2012-10-17", "Statement": [statement]}),
    )
