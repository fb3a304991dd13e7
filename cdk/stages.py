"""The stages, and all that differs between them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from aws_cdk import Aws, CfnRule, CfnRuleAssertion, Duration, Fn, RemovalPolicy, Stack
from aws_cdk.aws_logs import RetentionDays
from constructs import Node


@dataclass(frozen=True)
class Databases:
    """Where the services keep their data.

    Attributes:
        layout: `shared` is one PostgreSQL instance with a database for each service, behind one proxy; `per service` an
            Aurora PostgreSQL cluster with a proxy for each (docs/decisions/0025).
        size: the machines' class.
        sizes: the class of a service's machines where it is another one.
        standbys: machines in another zone that a cluster fails over to, and that read models are read from. Only
            clusters have them.
        backup_days: how far back a server can be restored to any second.
    """

    layout: Literal["shared", "per service"] = "shared"
    size: str = "t4g.micro"
    sizes: Mapping[str, str] = field(default_factory=dict)
    standbys: int = 0
    backup_days: int = 1

    def size_of(self, service: str) -> str:
        """The class of the machines of a service's cluster."""
        return self.sizes.get(service, self.size)


@dataclass(frozen=True)
class Stage:
    """One deployment of the whole system. What is not named costs nothing, or as little as it can.

    Attributes:
        name: part of every resource's name, so that two stages fit into one account.
        mail_domain: the domain that mail is sent from; SES must have verified it before anything is delivered.
        web_origins: where the web front end is served; the only origins that CORS admits.
        domain, certificate: the API's own name, and the ARN of its certificate; None means CloudFront's name.
        origin_keys: names of the secrets by which CloudFront proves itself to the API. It sends the last, and all are
            admitted: to replace one, deploy with a second name, then without the first.
        public_url: what links in mails begin with; None means the API's own address (no front end yet).
        alarm_addresses: who gets a mail when an alarm rings. Each has to say yes to a mail of SNS first.
        databases: PostgreSQL.
        cache_snapshot_days: how long a day's snapshot of the cache is kept; 0 means that there are none.
        nat_gateways: one is a single point of failure for calls to Stripe, two cost twice as much.
        flow_logs: whether connections that the network refused are written down.
        account_guard: whether this stage also watches the account that it lies in: CloudTrail, and AWS Config's rules.
            An account has one recorder of its configuration, so one stage of each account at most.
        requests_per_second, burst: the API's throttle for all callers together.
        requests_of_an_address, sign_ins_of_an_address: what the firewall lets one address ask for in five minutes, in
            all and below /api/auth. Many people may share an address.
        webhooks_of_an_address: likewise, of webhooks: a provider has few addresses, and sends several for each sale.
        rollout: whether a new version of a function gets all calls at once, or a tenth of them for five minutes first.
        concurrency: how many functions the account runs at once, where that may be relied on: then shares of it are
            reserved. 0 reserves nothing, for a new account has 10, of which none can be.
        warm: processes of each hot route and of the authorizer that are kept started, at $9 a month each.
        logs: how long they are kept.
        keep_data: refuse to delete what has data, and leave it or a snapshot of it behind if somebody insists.
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
    alarm_addresses: tuple[str, ...] = ()
    databases: Databases = field(default_factory=Databases)
    cache_snapshot_days: int = 0
    nat_gateways: int = 1
    flow_logs: bool = False
    account_guard: bool = False
    requests_per_second: int = 500
    burst: int = 1000
    requests_of_an_address: int = 3000
    sign_ins_of_an_address: int = 500
    webhooks_of_an_address: int = 30_000
    rollout: Literal["all at once", "canary"] = "all at once"
    concurrency: int = 0
    warm: int = 0
    logs: RetentionDays = RetentionDays.TWO_WEEKS
    keep_data: bool = False
    canary: bool = False
    dashboards: int = 1
    settings: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (self.domain is None) != (self.certificate is None):
            raise ValueError(f"Stage {self.name} needs both, a domain and its certificate, or neither.")
        if self.databases.standbys and self.databases.layout == "shared":
            raise ValueError(f"Stage {self.name} has standbys, which a shared instance cannot have.")

    @property
    def prefix(self) -> str:
        """What the names of this stage's resources begin with."""
        return f"box-office-{self.name}"

    @property
    def removal(self) -> RemovalPolicy:
        """What becomes of something with data when nobody declares it any more.

        What is kept otherwise goes when the deployment that made it is taken back: there is nothing in it yet, and the
        next try could not make it a second time under its name.
        """
        return RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if self.keep_data else RemovalPolicy.DESTROY

    @property
    def key_window(self) -> Duration:
        """How long a key that somebody deletes can be had back; it costs nothing in that time."""
        return Duration.days(30 if self.keep_data else 7)

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

# As production in everything that can break, on the smallest machines there are.
STAGING = Stage(
    "staging",
    mail_domain="staging.box-office.example",
    web_origins=("https://staging.box-office.example",),
    public_url="https://staging.box-office.example",
    canary=True,
    databases=Databases("per service", "t4g.medium", standbys=1, backup_days=3),
    flow_logs=True,
    rollout="canary",
    logs=RetentionDays.ONE_MONTH,
)

PROD = Stage(
    "prod",
    mail_domain="box-office.example",
    web_origins=("https://www.box-office.example",),
    public_url="https://www.box-office.example",
    alarm_addresses=("on-call@box-office.example",),
    databases=Databases(
        "per service",
        "t4g.medium",
        sizes={"tickets": "r7g.large", "payments": "r7g.large"},  # what a sale's first minute falls upon
        standbys=1,
        backup_days=14,
    ),
    cache_snapshot_days=1,
    nat_gateways=2,
    flow_logs=True,
    account_guard=True,
    requests_per_second=2000,
    burst=4000,
    rollout="canary",
    concurrency=1000,
    warm=1,
    logs=RetentionDays.THREE_MONTHS,
    keep_data=True,
    canary=True,
    dashboards=4,
)

STAGES = {stage.name: stage for stage in (DEV, STAGING, PROD)}

_EXAMPLE = re.compile(r"\.example(?![\w-]|\.\w)")
"""A name that is nobody's: https://www.rfc-editor.org/rfc/rfc2606"""


def gaps(stage: Stage) -> list[str]:
    """The fields that have to be filled in before somebody relies on the stage; none of a stage for a first look.

    What is still `.example` leads nowhere: mails are not sent, their links open nothing, alarms tell nobody. Where data
    is kept, an own domain is wanted, too (under CloudFront's own name old TLS is admitted), and somebody to be told.
    """
    if not (stage.keep_data or stage.canary):
        return []
    told: dict[str, tuple[str | None, ...]] = {
        "mail_domain": (stage.mail_domain,),
        "web_origins": stage.web_origins,
        "domain": (stage.domain,),
        "public_url": (stage.public_url,),
        "alarm_addresses": stage.alarm_addresses,
    }
    needed = ("domain", "alarm_addresses") if stage.keep_data else ()
    return [
        name
        for name, values in told.items()
        if any(_EXAMPLE.search(value or "") for value in values) or (name in needed and not any(values))
    ]


def refuse_gaps(scope: Node, stage: Stage) -> None:
    """Have CloudFormation refuse every stack of a stage that has gaps. Templates can be read all the same."""
    found = gaps(stage)
    if not found:
        return
    wanted = f"Fill in {', '.join(found)} of the stage {stage.name} in cdk/stages.py (docs/operations.md)."
    for stack in scope.children:
        if isinstance(stack, Stack):
            CfnRule(
                stack,
                "StageIsFilledIn",
                assertions=[
                    CfnRuleAssertion(
                        assert_=Fn.condition_equals("has gaps", "is filled in"), assert_description=wanted
                    )
                ],
            )


def chosen(node: Node) -> Stage:
    """The stage named on the command line (`cdk deploy -c stage=prod`), dev if none is."""
    name = node.try_get_context("stage") or DEV.name
    if name not in STAGES:
        raise SystemExit(f"No stage is called {name!r}. There are: {', '.join(STAGES)}.")
    return STAGES[name]
