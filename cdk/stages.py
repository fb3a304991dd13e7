"""The stages, and all that differs between them."""

from dataclasses import dataclass, field

from aws_cdk import Aws
from aws_cdk.aws_logs import RetentionDays
from constructs import Node


@dataclass(frozen=True)
class Stage:
    """One deployment of the whole system.

    Attributes:
        name: part of every resource's name, so that two stages fit into one account.
        mail_domain: the domain that mail is sent from; SES must have verified it before anything is delivered.
        web_origins: where the web front end is served; the only origins that CORS admits.
        domain, certificate: the API's own name, and the ARN of its certificate; None means CloudFront's name.
        origin_keys: names of the secrets by which CloudFront proves itself to the API. It sends the last, and all are
            admitted: to replace one, deploy with a second name, then without the first.
        public_url: what links in mails begin with; None means the API's own address (no front end yet).
        instance_type, multi_az, backup_days: the PostgreSQL instance.
        nat_gateways: one is a single point of failure for calls to Stripe, two cost twice as much.
        requests_per_second, burst: the API's throttle for all callers together.
        requests_of_an_address, sign_ins_of_an_address: what the firewall lets one address ask for in five minutes, in
            all and below /api/auth. Many people may share an address.
        logs: how long they are kept.
        keep_data: refuse to delete the database, and leave a snapshot behind if somebody insists.
        canary: whether a synthetic buyer buys a free ticket every five minutes (docs/operations.md, The canary).
        dashboards: how many audiences have one (cdk/operations/dashboards.py); an account's first three are free, each
            more is $3 a month.
        settings: values that differ from the defaults of `functions/<service>/settings.py`.
    """

    name: str
    mail_domain: str
    web_origins: tuple[str, ...]
    region: str = "us-east-1"
    domain: str | None = None
    certificate: str | None = None
    origin_keys: tuple[str, ...] = ("first",)
    public_url: str | None = None
    instance_type: str = "t4g.small"
    multi_az: bool = False
    backup_days: int = 1
    nat_gateways: int = 1
    requests_per_second: int = 500
    burst: int = 1000
    requests_of_an_address: int = 3000
    sign_ins_of_an_address: int = 500
    logs: RetentionDays = RetentionDays.TWO_WEEKS
    keep_data: bool = False
    canary: bool = False
    dashboards: int = 1
    settings: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (self.domain is None) != (self.certificate is None):
            raise ValueError(f"Stage {self.name} needs both, a domain and its certificate, or neither.")

    @property
    def prefix(self) -> str:
        """What the names of this stage's resources begin with."""
        return f"box-office-{self.name}"

    def bucket(self, name: str) -> str:
        """The name of a bucket: all accounts share one namespace, so ours is part of it."""
        return f"{self.prefix}-{name}-{Aws.ACCOUNT_ID}"

    @property
    def parameters(self) -> str:
        """The path in Parameter Store below which this stage's settings lie."""
        return f"/box-office/{self.name}"


DEV = Stage(
    "dev",
    mail_domain="dev.box-office.example",
    web_origins=("http://localhost:5173", "http://127.0.0.1:5173"),
)

STAGING = Stage(
    "staging",
    mail_domain="staging.box-office.example",
    web_origins=("https://staging.box-office.example",),
    public_url="https://staging.box-office.example",
    backup_days=3,
    canary=True,
    logs=RetentionDays.ONE_MONTH,
)

PROD = Stage(
    "prod",
    mail_domain="box-office.example",
    web_origins=("https://www.box-office.example",),
    public_url="https://www.box-office.example",
    instance_type="m7g.large",
    multi_az=True,
    backup_days=14,
    nat_gateways=2,
    requests_per_second=2000,
    burst=4000,
    logs=RetentionDays.THREE_MONTHS,
    keep_data=True,
    canary=True,
    dashboards=4,
)

STAGES = {stage.name: stage for stage in (DEV, STAGING, PROD)}


def chosen(node: Node) -> Stage:
    """The stage named on the command line (`cdk deploy -c stage=prod`), dev if none is."""
    name = node.try_get_context("stage") or DEV.name
    if name not in STAGES:
        raise SystemExit(f"No stage is called {name!r}. There are: {', '.join(STAGES)}.")
    return STAGES[name]
