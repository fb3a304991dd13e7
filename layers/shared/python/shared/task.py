"""Step Functions → Lambda: a saga task. Its outcomes are data; an exception means "broken, try again", no more."""

from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import BaseModel

from shared.log import begin, invocation_id, logger
from shared.wire import Answer, Body

B = TypeVar("B", bound=Body)
EXECUTION = "execution"


def task(
    service: str, model: type[B], run: Callable[[B], Answer | None]
) -> Callable[[dict[str, Any], Any], Any]:
    """The Lambda handler of a task: parses the state's input, logs with the order's id, answers in camelCase JSON.

    `execution`, beside what `model` wants, is what the execution was started with: whose purchase this is.
    """
    log = logger(service)

    def handler(event: dict[str, Any], context: Any) -> Any:
        given = {name: value for name, value in event.items() if name != EXECUTION}
        correlation = (event.get(EXECUTION) or {}).get("correlationId")
        begin(log, invocation_id(context), order_id=event.get("orderId"), correlation_id=correlation)
        try:
            answer = run(model.model_validate(given))
        except Exception:
            log.exception("task failed, Step Functions will retry")
            raise
        log.info("task done", extra={"outcome": getattr(answer, "outcome", None)})
        return answer.model_dump(mode="json", by_alias=True) if isinstance(answer, BaseModel) else None

    return handler
