"""What has state: PostgreSQL behind its proxies, the cache, the secrets, and our standing with the mail service."""

from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_ses as ses
from constructs import Construct

from cdk.cache import Cache
from cdk.handler import Use, allow
from cdk.network import Network
from cdk.operations.databases import Server
from cdk.postgres import Databases
from cdk.secrets import Secret
from cdk.stages import Stage


class Data(Stack):
    """Everything with state. What the tables of the services call `on.data`."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        stage: Stage,
        network: Network,
        services: list[str],
        **options: Any,
    ) -> None:
        super().__init__(scope, id, **options)
        self._stage = stage
        self._key = self._make_key()
        self._databases = Databases(self, stage=stage, network=network, key=self._key, services=services)
        self.cache: Use = Cache(self, "Cache", stage=stage, network=network, key=self._key).connect

        self.sender = ses.EmailIdentity(self, "Sender", identity=ses.Identity.domain(stage.mail_domain))

        # An operator puts the providers' keys in by hand, and jobs make the signing keys.
        self.stripe = self._secret("Stripe", {"secretKey": "", "webhookSecret": "", "publishableKey": ""})
        self.paypal = self._secret("Paypal", {"clientId": "", "clientSecret": "", "webhookId": ""})
        self.sendgrid = self._secret("Sendgrid", {"apiKey": "", "webhookPublicKey": ""})
        self.canary = self._secret("Canary", {"email": "", "password": ""})
        self.token_keys = self._secret("TokenKeys", {"keys": []})
        self.ticket_keys = self._secret("TicketKeys", {"keys": []})

    def deliver(self, function: lambda_.Function) -> None:
        """A use: send mail from our domain."""
        allow(function, ["ses:SendEmail", "ses:SendRawEmail"], self.sender.email_identity_arn)

    def watched(self) -> list[Server]:
        """Every server with its proxy, for those who watch them."""
        return [server.watched() for server in self._databases.servers]

    def database(self, service: str) -> Use:
        """A use: connect to the database of `service`."""
        return self._databases.of(service).connect

    def read_models(self, service: str) -> Use:
        """A use: the same, and read from a standby what may be a moment old."""
        return self._databases.of(service).read

    def audit(self, function: lambda_.Function) -> None:
        """A use: connect to the database of every service, as the role that may read what an audit needs."""
        self._databases.audit(function)

    def administer(self, function: lambda_.Function) -> None:
        """A use: sign in to every database server itself, as its administrator."""
        self._databases.administer(function)

    def _make_key(self) -> kms.Key:
        """The key of all that is at rest here. Without it nothing of that can be read again, backups included."""
        return kms.Key(
            self,
            "Key",
            alias=f"alias/{self._stage.prefix}-data",
            description=f"{self._stage.prefix}: databases, cache and secrets",
            enable_key_rotation=True,
            pending_window=self._stage.key_window,
            removal_policy=self._stage.removal,
        )

    def _secret(self, name: str, placeholder: dict[str, Any]) -> Secret:
        return Secret(self, name, placeholder, stage=self._stage, key=self._key)
