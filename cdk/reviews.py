"""What tools that read the templates would have otherwise, and why it stays as it is: one row per rule and type.

checkov finds its rows in each resource's metadata, where it looks for them (`pip install checkov` somewhere else, then
`checkov -d cdk.out --framework cloudformation`: it wants too much to be installed beside the rest). What other tools
say is in docs/decisions/0033.
"""

import re
from dataclasses import dataclass
from typing import Literal

from aws_cdk import CfnResource
from constructs import IConstruct

Tool = Literal["checkov"]


@dataclass(frozen=True)
class Review:
    """A rule of a tool that does not hold for resources of a type, and the reason.

    `rule` and `where` (the construct's path) are regular expressions for the whole.
    """

    tool: Tool
    rule: str
    type: str
    reason: str
    where: str = ".*"


_DEAD_LETTERS = (
    "Callers wait for an answer (API Gateway, Step Functions) or the queue has dead letters of its own; a scheduled "
    "tick that fails raises an alarm and is made good by the next one."
)
_CONCURRENCY = (
    "Reserved only where something behind must be protected: a number for each would take the whole account's 1,000 "
    "and refuse buyers while capacity is idle."
)
_LOG_KEY = (
    "Encrypted by CloudWatch Logs' own key; logs hold no personal data and no secret, which tests assert."
)
_VARIABLES = "Encrypted by Lambda's own key; no variable is a secret: those are read from Secrets Manager."
_INTERFACES = (
    "Names of network interfaces are not known in advance; a Deny keeps the function's code from using it."
)
_PUBLIC = (
    "Public by its row in cdk/services, or signed by a provider; CloudFront and the firewall stand before it."
)
_TRIGGER = "The CDK's own: it calls one function while a stack is deployed, and needs nothing in the VPC."
_CACHING = "What may be cached says so itself and is, in CloudFront and Valkey; stock must be today's."
_FILES = (
    "Pictures are public and never change under their address, exports last days: nothing to log or restore."
)
_PICTURES = "Public files that never change under their address: no input to filter, nothing worth a log."
_NAME = "Under CloudFront's own name AWS chooses the certificate and its protocols; with a domain it is TLSv1.2_2021."
_ORIGIN = (
    "Read by CloudFormation alone, of no use without the API's address, replaced by adding a second one."
)
_EXPRESSIONS = (
    "Only the way that CloudFront takes ends here; Log4j's strings are refused by the firewall before it."
)

REVIEWS: tuple[Review, ...] = (
    Review("checkov", "CKV_AWS_116", "AWS::Lambda::Function", _DEAD_LETTERS),
    Review("checkov", "CKV_AWS_115", "AWS::Lambda::Function", _CONCURRENCY),
    Review("checkov", "CKV_AWS_173", "AWS::Lambda::Function", _VARIABLES),
    Review("checkov", "CKV_AWS_117", "AWS::Lambda::Function", _TRIGGER, where=r".*/AWSCDK\.Trigger.*"),
    Review("checkov", "CKV_AWS_158", "AWS::Logs::LogGroup", _LOG_KEY),
    Review("checkov", "CKV_AWS_111", "AWS::IAM::Policy", _INTERFACES),
    Review("checkov", "CKV_AWS_59", "AWS::ApiGateway::Method", _PUBLIC),
    Review("checkov", "CKV_AWS_120", "AWS::ApiGateway::Stage", _CACHING),
    Review("checkov", "CKV_AWS_(18|21)", "AWS::S3::Bucket", _FILES),
    Review(
        "checkov", "CKV_AWS_(68|86)", "AWS::CloudFront::Distribution", _PICTURES, where="Buckets/Pictures/.*"
    ),
    Review("checkov", "CKV_AWS_174", "AWS::CloudFront::Distribution", _NAME),
    Review("checkov", "CKV_AWS_149", "AWS::SecretsManager::Secret", _ORIGIN, where="Edge/.*"),
    Review("checkov", "CKV_AWS_192", "AWS::WAFv2::WebACL", _EXPRESSIONS, where="Edge/Lock"),
)


def apply(app: IConstruct) -> None:
    """Write what checkov and Guard are to pass over into the metadata of each resource."""
    for construct in app.node.find_all():
        if isinstance(construct, CfnResource):
            _write(construct)


def _write(resource: CfnResource) -> None:
    type = resource.cfn_resource_type
    rows = [row for row in REVIEWS if row.type == type and re.fullmatch(row.where, resource.node.path)]
    skipped = [
        {"id": id, "comment": row.reason} for row in rows if row.tool == "checkov" for id in _ids(row.rule)
    ]
    if skipped:
        resource.add_metadata("checkov", {"skip": skipped})


def _ids(rule: str) -> list[str]:
    """`CKV_AWS_(18|21)` are two."""
    found = re.fullmatch(r"(.*)\(([^)]*)\)", rule)
    return [found[1] + number for number in found[2].split("|")] if found else [rule]
