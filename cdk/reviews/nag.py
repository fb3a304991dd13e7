"""Rules of cdk-nag's AwsSolutions, acknowledged: `cdk synth -c nag=report`.

A rule is as it is told there after `AwsSolutions-`, with what is found in brackets where that may be several things;
`{stage}` in it is the stage's name.
"""

from cdk.reviews import reasons
from cdk.reviews.review import Review

_ROTATION = "Another company's key, or CloudFront's: it is replaced by hand, by a page of the run book."
_OWN_ROTATION = "A job of ours makes the next key days before it is used: published, used, retired."
_FLOWS = "A stage without flow logs has nobody's data and is the cheapest thing that works."
_RUNTIME = "AWS supports it until 2029: a newer one is a change of its own, and protects nobody."
_VALIDATION = "The functions hold each body to their models, and name the field that is wrong."
_ASSOCIATED = "The stack of the edge associates one, which this rule does not see."
_AUTHORIZER = "Our authorizer keeps sessions that end at once, which Cognito's tokens do not."
_AWS_POLICY = "The policy that AWS keeps for this service's role, and changes as the service does."
_INTERFACES_AND_TRACES = (
    "X-Ray and Lambda's network interfaces have no names to allow; a Deny keeps the code from the latter."
)
_DELIVERY = "The actions by which logs are delivered take no resource."
_ALARMS = "The CDK's own, for AppConfig: it may look at alarms, which have no names that it could know."
_SETTINGS = "The folder of this stage's settings, read as one."
_ONE_FOLDER = "One folder, or one name in all folders, of files whose names nobody knows in advance."
_EXPORTS = "box-office-{stage}-buckets:ExportsOutputFnGetAttExportsBucket54D5CE64Arn6A916143"
_PICTURE_FILES = "box-office-{stage}-buckets:ExportsOutputFnGetAttPicturesBucket93B3B90BArn59CA23EE"
_SERVICES = ("events", "tickets", "payments", "notifications")
_OF_SERVICE = "iam::aws:policy/service-role"


ROWS: tuple[Review, ...] = (
    Review("SMG4", "AWS::SecretsManager::Secret", _OWN_ROTATION, where="Data/(Token|Ticket)Keys/.*"),
    Review(
        "SMG4",
        "AWS::SecretsManager::Secret",
        _ROTATION,
        where="(Data/(Stripe|Paypal|Sendgrid|Canary)|Edge/OriginKey.*)/.*",
    ),
    Review("S1", "AWS::S3::Bucket", reasons.FILES, where="Buckets/.*"),
    Review("S1", "AWS::S3::Bucket", reasons.HISTORY, where="Compliance/.*"),
    Review("CFR1", "AWS::CloudFront::Distribution", "Tickets are sold to whoever comes to the show."),
    Review("CFR2", "AWS::CloudFront::Distribution", reasons.PICTURES, where="Buckets/Pictures/.*"),
    Review("CFR3", "AWS::CloudFront::Distribution", reasons.PICTURES, where="Buckets/Pictures/.*"),
    Review("CFR3", "AWS::CloudFront::Distribution", reasons.ACCESS, where="Edge/.*"),
    Review("CFR4", "AWS::CloudFront::Distribution", reasons.NAME),
    Review("RDS3", "AWS::RDS::DBInstance", reasons.ONE_MACHINE),
    Review("RDS10", "AWS::RDS::DB(Instance|Cluster)", reasons.DELETABLE),
    Review("RDS11", "AWS::RDS::DBInstance", reasons.USUAL_PORT),
    Review("VPC7", "AWS::EC2::VPC", _FLOWS),
    Review("L1", "AWS::Lambda::Function", _RUNTIME),
    Review("APIG2", "AWS::ApiGateway::RestApi", _VALIDATION),
    Review("APIG3", "AWS::ApiGateway::Stage", _ASSOCIATED),
    Review("APIG6", "AWS::ApiGateway::Stage", reasons.ACCESS),
    Review("APIG4", "AWS::ApiGateway::Method", reasons.PUBLIC),
    Review("COG4", "AWS::ApiGateway::Method", _AUTHORIZER),
    *(
        Review(
            f"IAM4[Policy::arn:<AWS::Partition>:{_OF_SERVICE}/{policy}]",
            "AWS::IAM::Role",
            _AWS_POLICY,
        )
        for policy in (
            "AWS_ConfigRole",
            "AWSCodeDeployRoleForLambdaLimited",
            "AmazonAPIGatewayPushToCloudWatchLogs",
        )
    ),
    Review(
        "IAM5[Resource::*]",
        "AWS::IAM::Policy",
        _INTERFACES_AND_TRACES,
        where="[A-Za-z]+/[A-Za-z]+/Role/DefaultPolicy/.*",
    ),
    Review("IAM5[Resource::*]", "AWS::IAM::Policy", _DELIVERY, where="Purchase/.*"),
    Review("IAM5[Resource::*]", "AWS::IAM::Role", _ALARMS, where="Delivery/Flags/.*"),
    Review(
        "IAM5[Resource::arn:aws:ssm:us-east-1:<AWS::AccountId>:parameter/box-office/{stage}/*]",
        "AWS::IAM::Policy",
        _SETTINGS,
    ),
    Review(
        "IAM5[Resource::<HistoryFiles6881AC5B.Arn>/AWSLogs/<AWS::AccountId>/Config/*]",
        "AWS::IAM::Policy",
        _ONE_FOLDER,
    ),
    *(
        Review(f"IAM5[Resource::{bucket}/{files}]", "AWS::IAM::Policy", _ONE_FOLDER)
        for bucket, folders in {
            _EXPORTS: ("*.json", *(f"*/{name}.json" for name in ("box-office-data", *_SERVICES))),
            _PICTURE_FILES: ("uploads/*", "public/*"),
        }.items()
        for files in folders
    ),
)
