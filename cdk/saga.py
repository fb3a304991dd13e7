"""The purchase as a state machine: reserve, charge, issue, tell the buyer, and undo what was done if that fails.

Its tasks answer with outcomes, which are data and read by a Choice; an exception means "broken, try again". Money comes
first in every compensation: seats are released only after the payment is certainly cancelled or refunded.
"""

from dataclasses import dataclass
from typing import Any

from aws_cdk import ArnFormat, Duration, RemovalPolicy, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as sfn_tasks
from constructs import Construct

from cdk.handler import Handler, allow
from cdk.stages import Stage

LIMIT = Duration.hours(24)
ORDER = {
    "orderId": sfn.JsonPath.string_at("$.orderId"),
    # With the correlation id, which a path of its own would demand of executions that began before there was one.
    "execution": sfn.JsonPath.object_at("$$.Execution.Input"),
}


@dataclass(frozen=True)
class Saga:
    """The state machine as the services know it: by its name, for it stands on their functions."""

    stage: Stage

    @property
    def name(self) -> str:
        """The state machine's name."""
        return f"{self.stage.prefix}-purchase"

    def start(self, function: lambda_.Function) -> None:
        """A use: start the purchase of an order. An execution is named by its order, so that twice is once."""
        allow(function, ["states:StartExecution"], self._arn(function))
        function.add_environment("PURCHASE_STATE_MACHINE_ARN", self._arn(function))

    def answer(self, function: lambda_.Function) -> None:
        """A use: wake a purchase that waits for its payment."""
        allow(function, ["states:SendTaskSuccess"], self._arn(function))

    def look(self, function: lambda_.Function) -> None:
        """A use: list the purchases that are running."""
        allow(function, ["states:ListExecutions"], self._arn(function))
        function.add_environment("PURCHASES_ARN", self._arn(function))

    def _arn(self, function: lambda_.Function) -> str:
        return Stack.of(function).format_arn(
            service="states",
            resource="stateMachine",
            resource_name=self.name,
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )


@dataclass(frozen=True)
class Tasks:
    """The functions of the tasks."""

    reserve: Handler
    charge: Handler
    await_payment: Handler
    issue: Handler
    notify: Handler
    cancel_payment: Handler
    refund_payment: Handler
    release: Handler


class Purchase(Stack):
    """The state machine, and its log without the data of executions."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        stage: Stage,
        saga: Saga,
        tasks: Tasks,
        log_key: kms.IKey,
        **options: Any,
    ) -> None:
        super().__init__(scope, id, **options)
        self._tasks = tasks
        self.machine = sfn.StateMachine(
            self,
            "Purchase",
            state_machine_name=saga.name,
            state_machine_type=sfn.StateMachineType.STANDARD,
            definition_body=sfn.DefinitionBody.from_chainable(self._definition()),
            timeout=LIMIT,
            tracing_enabled=True,
            logs=sfn.LogOptions(
                destination=logs.LogGroup(
                    self,
                    "Logs",
                    log_group_name=f"/aws/vendedlogs/states/{saga.name}",  # a prefix that needs no policy of ours
                    encryption_key=log_key,
                    retention=stage.logs,
                    removal_policy=RemovalPolicy.DESTROY,
                ),
                level=sfn.LogLevel.ALL,
                include_execution_data=False,
            ),
        )

    def _definition(self) -> sfn.IChainable:
        """Every state and where it leads. The states are made first, since some lead back to earlier ones."""
        at, done = self._tasks, sfn.Succeed(self, "Done")
        reserve = self._call("Reserve", at.reserve, ORDER, "$.reservation")
        charge = self._call(
            "Charge", at.charge, ORDER | {"reservation": sfn.JsonPath.object_at("$.reservation")}, "$.payment"
        )
        await_payment = self._await_payment()
        issue = self._call("Issue", at.issue, ORDER, "$.issue")
        notify = self._insist("Notify", at.notify, ORDER | {"outcome": "issued"})
        cancel = self._insist("CancelPayment", at.cancel_payment, ORDER, "$.cancellation")
        reason = {"reason": sfn.JsonPath.string_at("$.issue.reason")}
        refund = self._insist("RefundPayment", at.refund_payment, ORDER | reason)
        release = self._insist("Release", at.release, ORDER)
        notify_cancelled = self._insist("NotifyCancelled", at.notify, ORDER | {"outcome": "cancelled"})

        # In the first run nothing is paid yet; in a later one anything may be, which payments knows.
        reserve.add_catch(cancel, result_path=sfn.JsonPath.DISCARD)
        reserve.next(self._if("IsReserved", "$.reservation.outcome", "bound", charge, otherwise=done))
        # A gateway that is down costs nobody the seats: the buyer may pay again until pay-by.
        unavailable = self._state("PaymentUnavailable", "$.payment", {"outcome": "unavailable"})
        charge.add_catch(unavailable.next(await_payment), result_path=sfn.JsonPath.DISCARD)
        # An earlier run failed for good while it gave the money back: it is given back, and no tickets are made.
        given_back = self._state("GivenBack", "$.issue", {"outcome": "refused", "reason": "ISSUE_FAILED"})
        is_given_back = sfn.Condition.string_equals("$.payment.outcome", "refunded")
        is_paid = self._if("IsPaid", "$.payment.outcome", "paid", issue, otherwise=await_payment)
        charge.next(is_paid.when(is_given_back, given_back.next(refund)))
        await_payment.add_catch(cancel, result_path=sfn.JsonPath.DISCARD)
        # "over": the event was cancelled, so nobody waits for the money until pay-by.
        is_over = self._if("IsOver", "$.payment.outcome", "over", cancel, otherwise=issue)
        await_payment.next(is_over.when(is_given_back, given_back))
        # A payment that came at the last moment cannot be cancelled; then it buys the seats after all.
        is_cancelled = self._if(
            "IsCancelled", "$.cancellation.outcome", "cancelled", release, otherwise=issue
        )
        goes_back = sfn.Condition.string_equals("$.cancellation.outcome", "refunded")
        cancel.next(is_cancelled.when(goes_back, given_back))
        broken = self._state("IssueFailed", "$.issue", {"outcome": "refused", "reason": "ISSUE_FAILED"})
        issue.add_catch(broken.next(refund), result_path=sfn.JsonPath.DISCARD)
        issue.next(self._if("IsIssued", "$.issue.outcome", "issued", notify, otherwise=refund))
        refund.next(release).next(notify_cancelled).next(done)
        notify.next(done)
        return reserve

    def _call(self, id: str, task: Handler, payload: dict[str, Any], result: str) -> sfn_tasks.LambdaInvoke:
        """A step that may fail for good, because something else is done then."""
        return _retry(self._invoke(id, task, payload, result), tries=3)

    def _insist(
        self, id: str, task: Handler, payload: dict[str, Any], result: str = sfn.JsonPath.DISCARD
    ) -> sfn_tasks.LambdaInvoke:
        """A step that has to succeed: five minutes of tries, then the execution fails, which raises an alarm."""
        return _retry(self._invoke(id, task, payload, result), tries=10)

    def _invoke(self, id: str, task: Handler, payload: dict[str, Any], result: str) -> sfn_tasks.LambdaInvoke:
        return sfn_tasks.LambdaInvoke(
            self,
            id,
            lambda_function=task.called_by(self),
            payload=sfn.TaskInput.from_object(payload),
            payload_response_only=True,
            retry_on_service_exceptions=False,  # the retries here say all
            result_path=result,
        )

    def _await_payment(self) -> sfn_tasks.LambdaInvoke:
        """Wait until payments says that the money is there, at most for as long as the seats are held."""
        payload = {
            **ORDER,
            "taskToken": sfn.JsonPath.task_token,
            "outcome": sfn.JsonPath.string_at("$.payment.outcome"),
            "reservation": sfn.JsonPath.object_at("$.reservation"),
        }
        wait = sfn_tasks.LambdaInvoke(
            self,
            "AwaitPayment",
            lambda_function=self._tasks.await_payment.called_by(self),
            payload=sfn.TaskInput.from_object(payload),
            integration_pattern=sfn.IntegrationPattern.WAIT_FOR_TASK_TOKEN,
            task_timeout=sfn.Timeout.at("$.reservation.secondsToPay"),
            retry_on_service_exceptions=False,
            result_path="$.payment",
        )
        # The time to pay runs out once: only what broke before is tried again.
        wait.add_retry(errors=["States.Timeout"], max_attempts=0)
        return _retry(wait, tries=3)

    def _if(
        self, id: str, path: str, value: str, then: sfn.IChainable, *, otherwise: sfn.IChainable
    ) -> sfn.Choice:
        return sfn.Choice(self, id).when(sfn.Condition.string_equals(path, value), then).otherwise(otherwise)

    def _state(self, id: str, path: str, value: dict[str, str]) -> sfn.Pass:
        return sfn.Pass(self, id, result=sfn.Result.from_object(value), result_path=path)


def _retry(step: sfn_tasks.LambdaInvoke, *, tries: int) -> sfn_tasks.LambdaInvoke:
    """After 1, 2, 4, … seconds, at most 60, with full jitter: tasks that failed together do not come back together.

    One that Lambda had no room for did not fail: it waits for its turn, for some minutes, before it counts as broken.
    """
    step.add_retry(
        errors=["Lambda.TooManyRequestsException"],
        interval=Duration.seconds(1),
        backoff_rate=2,
        max_attempts=10,
        max_delay=Duration.seconds(60),
        jitter_strategy=sfn.JitterType.FULL,
    )
    step.add_retry(
        errors=["States.ALL"],
        interval=Duration.seconds(1),
        backoff_rate=2,
        max_attempts=tries,
        max_delay=Duration.seconds(60),
        jitter_strategy=sfn.JitterType.FULL,
    )
    return step
