"""Files: the buckets, who may touch what in them, and how the public reads pictures."""

from typing import Any

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk.handler import Use, allow
from cdk.messaging import Messaging
from cdk.stages import Stage

# Uploads come from outside and nobody has looked at them: they lie beside what is shown, and are never served.
UPLOADS, SHOWN = "uploads", "public"
PLACEHOLDER = "/placeholder.jpg"


class Pictures(Construct):
    """The pictures of events: a private bucket, and the distribution through which everybody reads `public/` of it.

    Encrypted with S3's own key: what is in it is there to be shown, and a customer's key would have to name the
    distribution, which names the bucket, which names the key.
    """

    def __init__(self, scope: Construct, id: str, *, stage: Stage, messaging: Messaging) -> None:
        super().__init__(scope, id)
        self._stage = stage
        self._bucket = self._private_bucket()
        self._tell(messaging)
        self._distribution = self._read_by_everybody()

    def show(self, function: lambda_.Function) -> None:
        """A use: say where pictures are to be seen."""
        function.add_environment("PICTURES_URL", f"https://{self._distribution.distribution_domain_name}")

    def accept(self, function: lambda_.Function) -> None:
        """A use: sign forms by which others upload."""
        self._name(function)
        allow(function, ["s3:PutObject"], self._bucket.arn_for_objects(f"{UPLOADS}/*"))

    def make(self, function: lambda_.Function) -> None:
        """A use: take uploads away and put pictures in their place."""
        self._name(function)
        allow(function, ["s3:GetObject", "s3:DeleteObject"], self._bucket.arn_for_objects(f"{UPLOADS}/*"))
        allow(function, ["s3:PutObject"], self._bucket.arn_for_objects(f"{SHOWN}/*"))
        # Without it S3 answers 403 where it means 404.
        allow(function, ["s3:ListBucket"], self._bucket.bucket_arn)

    def remove(self, function: lambda_.Function) -> None:
        """A use: find and delete pictures that nobody sees any more."""
        self._name(function)
        allow(function, ["s3:DeleteObject"], self._bucket.arn_for_objects(f"{SHOWN}/*"))
        allow(function, ["s3:ListBucket"], self._bucket.bucket_arn)

    def install(self, function: lambda_.Function) -> None:
        """A use: put pictures that come with the code."""
        self._name(function)
        allow(function, ["s3:PutObject"], self._bucket.arn_for_objects(f"{SHOWN}/*"))

    def _name(self, function: lambda_.Function) -> None:
        function.add_environment("PICTURES_BUCKET", self._bucket.bucket_name)

    def _private_bucket(self) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            "Bucket",
            bucket_name=self._stage.bucket("pictures"),
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            lifecycle_rules=[s3.LifecycleRule(prefix=f"{UPLOADS}/", expiration=Duration.days(1))],
            cors=[
                s3.CorsRule(
                    allowed_origins=list(self._stage.web_origins),
                    allowed_methods=[s3.HttpMethods.POST],
                    allowed_headers=["*"],
                    max_age=600,
                )
            ],
            removal_policy=self._stage.removal,
        )
        # The distribution's origin path keeps it out of the uploads; this does too, should somebody change that.
        bucket.add_to_resource_policy(
            iam.PolicyStatement(
                effect=iam.Effect.DENY,
                principals=[iam.ServicePrincipal("cloudfront.amazonaws.com")],
                actions=["s3:GetObject"],
                resources=[bucket.arn_for_objects(f"{UPLOADS}/*")],
            )
        )
        return bucket

    def _tell(self, messaging: Messaging) -> None:
        """S3 tells the queue of each upload. Said in the bucket's own properties: the CDK's `add_event_notification`
        would deploy a function of its own to say the same.
        """
        bucket = self._bucket.node.default_child
        assert isinstance(bucket, s3.CfnBucket)
        rule = s3.CfnBucket.FilterRuleProperty(name="prefix", value=f"{UPLOADS}/")
        bucket.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            queue_configurations=[
                s3.CfnBucket.QueueConfigurationProperty(
                    event="s3:ObjectCreated:*",
                    queue=messaging.queue("events-images").arn_for(self),
                    filter=s3.CfnBucket.NotificationFilterProperty(
                        s3_key=s3.CfnBucket.S3KeyFilterProperty(rules=[rule])
                    ),
                )
            ]
        )

    def _read_by_everybody(self) -> cloudfront.Distribution:
        return cloudfront.Distribution(
            self,
            "Distribution",
            comment=f"{self._stage.prefix}: pictures",
            default_behavior=cloudfront.BehaviorOptions(
                origin=origins.S3BucketOrigin.with_origin_access_control(
                    self._bucket, origin_path=f"/{SHOWN}"
                ),
                viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
                response_headers_policy=self._safe_headers(),
                compress=False,  # pictures are compressed as they are
            ),
            # A picture that is not there yet, or no more, is shown as the one that stands for none. (S3 answers 403
            # to who may not list the bucket.)
            error_responses=[
                cloudfront.ErrorResponse(
                    http_status=403,
                    response_http_status=404,
                    response_page_path=PLACEHOLDER,
                    ttl=Duration.seconds(5),
                )
            ],
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
            price_class=cloudfront.PriceClass.PRICE_CLASS_100,
        )

    def _safe_headers(self) -> cloudfront.ResponseHeadersPolicy:
        """A picture is a picture, whatever a browser thinks that it could be, and pages of other sites may show it."""
        policy = cloudfront.ResponseHeadersContentSecurityPolicy(
            content_security_policy="default-src 'none'; sandbox", override=True
        )
        return cloudfront.ResponseHeadersPolicy(
            self,
            "Headers",
            response_headers_policy_name=f"{self._stage.prefix}-pictures",
            security_headers_behavior=cloudfront.ResponseSecurityHeadersBehavior(
                content_type_options=cloudfront.ResponseHeadersContentTypeOptions(override=True),
                content_security_policy=policy,
            ),
        )


class Exports(Construct):
    """What people asked to see of themselves: private, encrypted with a key of its own, and gone after eight days."""

    def __init__(self, scope: Construct, id: str, *, stage: Stage) -> None:
        super().__init__(scope, id)
        self._key = kms.Key(
            self,
            "Key",
            alias=f"alias/{stage.prefix}-exports",
            description=f"{stage.prefix}: exports",
            enable_key_rotation=True,
            pending_window=stage.key_window,
            removal_policy=stage.removal,
        )
        self._bucket = s3.Bucket(
            self,
            "Bucket",
            bucket_name=stage.bucket("exports"),
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self._key,
            bucket_key_enabled=True,
            enforce_ssl=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            versioned=False,  # what is deleted is gone
            lifecycle_rules=[s3.LifecycleRule(expiration=Duration.days(8))],
            # What is in it is somebody's own, and can be asked for again: nobody is to keep it longer.
            removal_policy=RemovalPolicy.DESTROY,
        )
        self.bucket: s3.IBucket = self._bucket

    def write(self, service: str) -> Use:
        """A use: write the part of `service`, and nothing else."""

        def use(function: lambda_.Function) -> None:
            self._name(function)
            allow(function, ["s3:PutObject"], self._bucket.arn_for_objects(f"*/{service}.json"))
            allow(function, ["kms:GenerateDataKey"], self._key.key_arn)

        return use

    def collect(self, function: lambda_.Function) -> None:
        """A use: read parts, write the whole, delete both."""
        self._name(function)
        actions = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
        allow(function, actions, self._bucket.arn_for_objects("*.json"))
        allow(function, ["kms:Decrypt", "kms:GenerateDataKey"], self._key.key_arn)

    def sign(self, function: lambda_.Function) -> None:
        """A use: sign addresses by which others fetch a whole export (S3 lets them do what the function may)."""
        self._name(function)
        allow(function, ["s3:GetObject"], self._bucket.arn_for_objects("*/box-office-data.json"))
        allow(function, ["kms:Decrypt"], self._key.key_arn)

    def _name(self, function: lambda_.Function) -> None:
        function.add_environment("EXPORTS_BUCKET", self._bucket.bucket_name)


class Buckets(Stack):
    """Every bucket. What the tables of the services call `on.buckets`."""

    def __init__(
        self, scope: Construct, id: str, *, stage: Stage, messaging: Messaging, **options: Any
    ) -> None:
        super().__init__(scope, id, **options)
        self.pictures = Pictures(self, "Pictures", stage=stage, messaging=messaging)
        self.exports = Exports(self, "Exports", stage=stage)
