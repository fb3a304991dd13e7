"""A service as a table: a row per function, and what each may touch."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from aws_cdk.triggers import Trigger
from constructs import Construct

from cdk.data import Data
from cdk.handler import Handler, Runtime, Source, Use
from cdk.messaging import Messaging
from cdk.saga import Saga
from cdk.settings import Settings
from cdk.storage import Buckets

# Who may call a route. "signature" is a provider that signs what it sends. Whether an organizer is the event's own, or
# a ticket belongs to whoever asks, only the handler can tell.
Caller = Literal["public", "signature", "user", "organizer", "admin"]

When = Literal["every minute", "every five minutes", "every hour", "on deployment", "by hand"]
EVERY: dict[When, Duration] = {
    "every minute": Duration.minutes(1),
    "every five minutes": Duration.minutes(5),
    "every hour": Duration.hours(1),
}


@dataclass(frozen=True)
class Route:
    """METHOD /path → functions/<service>/routes/<name>.py.

    `hot` routes are what everybody calls at once when a sale opens: twice the memory, which on Lambda is twice the
    processor. `timeout` is in seconds, and below the 29 that API Gateway waits.
    """

    method: str
    path: str
    name: str
    caller: Caller
    uses: Sequence[Use] = ()
    hot: bool = False
    timeout: int = 10
    folder: str = field(default="routes", init=False)


@dataclass(frozen=True)
class Authorizer:
    """functions/<service>/authorizers/<name>.py: called before every route that is not public, so it is hot."""

    name: str
    uses: Sequence[Use] = ()
    hot: bool = True
    timeout: int = 5
    folder: str = field(default="authorizers", init=False)


@dataclass(frozen=True)
class Task:
    """functions/<service>/saga/<name>.py: a step of the purchase.

    `at_most` so many run at once where concurrency is reserved: a provider's rate limit is for all of us together, and
    a step that finds no room waits for its turn.
    """

    name: str
    uses: Sequence[Use] = ()
    hot: bool = True
    timeout: int = 30
    at_most: int | None = None
    folder: str = field(default="saga", init=False)


@dataclass(frozen=True)
class Consumer:
    """functions/<service>/consumers/<name>.py, fed from a queue, whose row says how long it may take.

    A `recursive` one sends itself the next message of its own queue until all is done.
    """

    name: str
    queue: str
    uses: Sequence[Use] = ()
    hot: bool = False
    recursive: bool = False
    folder: str = field(default="consumers", init=False)


@dataclass(frozen=True)
class Job:
    """functions/<service>/jobs/<name>.py: on a schedule, on each deployment that changes it, or by hand.

    `at_most` two run at once where concurrency is reserved: as many as ever help, and they have them in a rush, too.
    """

    name: str
    when: When
    uses: Sequence[Use] = ()
    hot: bool = False
    timeout: int = 50
    at_most: int | None = 2
    folder: str = field(default="jobs", init=False)


Row = Route | Authorizer | Task | Consumer | Job


@dataclass(frozen=True)
class Ground:
    """What the services stand on: what their tables take their uses from."""

    runtime: Runtime
    data: Data
    messaging: Messaging
    settings: Settings
    saga: Saga
    buckets: Buckets


class Service(Stack):
    """The functions of one service, with what calls them except the API and the purchase."""

    def __init__(
        self, scope: Construct, id: str, *, ground: Ground, service: str, rows: Sequence[Row], **options: Any
    ) -> None:
        super().__init__(scope, id, **options)
        self._ground, self._service, self._rows = ground, service, rows
        self._handlers: dict[tuple[str, str], Handler] = {}
        self.routes = [row for row in rows if isinstance(row, Route)]
        self.add_stack_dependency(ground.settings)  # they are read by name
        for row in rows:
            self._add(row)

    def handler(self, row: Row) -> Handler:
        """The function of a row."""
        return self._handlers[row.folder, row.name]

    def task(self, name: str) -> Handler:
        """The function of the saga's task `name`."""
        return self._handlers["saga", name]

    def authorizer(self, name: str) -> Handler:
        """The function of the authorizer `name`."""
        return self._handlers["authorizers", name]

    def scheduled(self) -> list[Handler]:
        """The functions that a schedule calls: their failures show nowhere else."""
        return [self.handler(row) for row in self._rows if isinstance(row, Job) and row.when in EVERY]

    def _add(self, row: Row) -> None:
        if isinstance(row, Consumer):
            queue = self._ground.messaging.queue(row.queue)
            uses, timeout = [*row.uses, queue.consume], queue.row.seconds
        else:
            uses, timeout = [*row.uses], row.timeout
        if isinstance(row, Route) and row.method != "GET":
            uses.append(self._ground.runtime.delivery.flags.read)  # maintenance
        source = Source(self._service, row.folder, row.name)
        handler = Handler(
            self,
            source,
            self._ground.runtime,
            uses=uses,
            memory=1024 if row.hot else 512,
            timeout=timeout,
            at_most=row.at_most if isinstance(row, Task | Job) else None,
            warm=row.hot and isinstance(row, Route | Authorizer),
            recursive=isinstance(row, Consumer) and row.recursive,
        )
        self._handlers[row.folder, row.name] = handler
        if isinstance(row, Consumer):
            queue.feed(handler.target)
        if isinstance(row, Job):
            self._schedule(row, handler)

    def _schedule(self, row: Job, handler: Handler) -> None:
        if row.when == "on deployment":
            Trigger(
                self,
                f"Run{handler.source.construct_id}",
                handler=handler.function,
                timeout=Duration.minutes(5),
            )
        if row.when not in EVERY:
            return
        # A tick that fails is made good by the next one: neither retries nor dead letters, but an alarm.
        handler.target.configure_async_invoke(max_event_age=Duration.minutes(1), retry_attempts=0)
        scheduler.Schedule(
            self,
            f"{handler.source.construct_id}Schedule",
            schedule_name=handler.name,
            schedule=scheduler.ScheduleExpression.rate(EVERY[row.when]),
            target=targets.LambdaInvoke(
                handler.target,
                role=self._scheduler_role,
                input=scheduler.ScheduleTargetInput.from_object({}),
                max_event_age=Duration.minutes(1),
                retry_attempts=0,
            ),
        )

    @cached_property
    def _scheduler_role(self) -> iam.Role:
        # Not for the schedules of another account, which the same service runs.
        ours = {"StringEquals": {"aws:SourceAccount": self.account}}
        principal = iam.ServicePrincipal("scheduler.amazonaws.com", conditions=ours)
        return iam.Role(self, "SchedulerRole", assumed_by=principal)
