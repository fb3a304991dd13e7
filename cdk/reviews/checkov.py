"""Rules of checkov. It finds them in each resource's metadata (docs/decisions/0033 says how it is run)."""

from cdk.reviews import reasons
from cdk.reviews.review import Review

_DEAD_LETTERS = (
    "Callers wait for an answer (API Gateway, Step Functions) or the queue has dead letters of its own; a scheduled "
    "tick that fails raises an alarm and is made good by the next one."
)
_CONCURRENCY = (
    "Reserved only where something behind must be protected: a number for each would take the whole account's 1,000 "
    "and refuse buyers while capacity is idle."
)
_VARIABLES = "Encrypted by Lambda's own key; no variable is a secret: those are read from Secrets Manager."
_INTERFACES = (
    "Names of network interfaces are not known in advance; a Deny keeps the function's code from using it."
)
_CACHING = "What may be cached says so itself and is, in CloudFront and Valkey; stock must be today's."
_ORIGIN = (
    "Read by CloudFormation alone, of no use without the API's address, replaced by adding a second one."
)
_EXPRESSIONS = (
    "Only the way that CloudFront takes ends here; Log4j's strings are refused by the firewall before it."
)

ROWS: tuple[Review, ...] = (
    Review("CKV_AWS_116", "AWS::Lambda::Function", _DEAD_LETTERS),
    Review("CKV_AWS_115", "AWS::Lambda::Function", _CONCURRENCY),
    Review("CKV_AWS_173", "AWS::Lambda::Function", _VARIABLES),
    Review(
        "CKV_AWS_117",
        "AWS::Lambda::Function",
        reasons.DEPLOYING,
        where=r".*/AWSCDK\.Trigger.*|Network/Custom::VpcRestrict.*",
    ),
    Review("CKV_AWS_118", "AWS::RDS::DBInstance", reasons.INSIGHTS),
    Review("CKV_AWS_157", "AWS::RDS::DBInstance", reasons.ONE_MACHINE, where="Data/Postgres/.*"),
    Review("CKV_AWS_86", "AWS::CloudFront::Distribution", reasons.ACCESS, where="Edge/.*"),
    Review("CKV_AWS_111", "AWS::IAM::Policy", _INTERFACES),
    Review("CKV_AWS_59", "AWS::ApiGateway::Method", reasons.PUBLIC),
    Review("CKV_AWS_120", "AWS::ApiGateway::Stage", _CACHING),
    Review("CKV_AWS_(18|21)", "AWS::S3::Bucket", reasons.FILES, where="Buckets/.*"),
    Review("CKV_AWS_18", "AWS::S3::Bucket", reasons.HISTORY, where="Compliance/.*"),
    Review("CKV_AWS_(68|86)", "AWS::CloudFront::Distribution", reasons.PICTURES, where="Buckets/Pictures/.*"),
    Review("CKV_AWS_174", "AWS::CloudFront::Distribution", reasons.NAME),
    Review("CKV_AWS_149", "AWS::SecretsManager::Secret", _ORIGIN, where="Edge/.*"),
    Review("CKV_AWS_192", "AWS::WAFv2::WebACL", _EXPRESSIONS, where="Edge/Lock"),
)
