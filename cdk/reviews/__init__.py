"""What tools that read the templates would have otherwise, and why it stays as it is: one row per rule and type.

How each tool is run, and what it said at first, is in docs/decisions/0033.
"""

import json
from pathlib import Path

from aws_cdk import Acknowledgment, App, CfnResource, Validations
from constructs import IConstruct

from cdk.reviews import checkov, nag

FOUND = "found-by-cdk-nag.json"


def report(app: App) -> None:
    """Have cdk-nag judge what is synthesized; before reviews are applied, all that it finds is written beside that.

    The file has the paths of constructs by rule, and is no part of what is deployed.
    """
    from cdk_nag import AwsSolutionsChecks  # takes seconds to import, and most synthesize without it

    checks = AwsSolutionsChecks(app)
    found = {
        violation.rule_name: [resource.construct_path for resource in violation.violating_resources]
        for violation in checks.validate_scope(app).violations
    }
    (Path(app.outdir) / FOUND).write_text(json.dumps(found, indent=1))
    Validations.of(app).add_plugins(checks)


def apply(app: IConstruct, stage: str) -> None:
    """Write what checkov and cdk-nag are to pass over to each resource, for the stage of this name."""
    for construct in app.node.find_all():
        if isinstance(construct, CfnResource):
            type, path = construct.cfn_resource_type, construct.node.path
            _skip(construct, type, path)
            _acknowledge(construct, type, path, stage)


def _skip(resource: CfnResource, type: str, path: str) -> None:
    skipped = [
        {"id": id, "comment": row.reason} for row in checkov.ROWS if row.is_of(type, path) for id in row.rules
    ]
    if skipped:
        resource.add_metadata("checkov", {"skip": skipped})


def _acknowledge(resource: CfnResource, type: str, path: str, stage: str) -> None:
    acknowledged = [
        Acknowledgment(id="AwsSolutions-" + row.rule.replace("{stage}", stage), reason=row.reason)
        for row in nag.ROWS
        if row.is_of(type, path)
    ]
    if acknowledged:
        Validations.of(resource).acknowledge(*acknowledged)
