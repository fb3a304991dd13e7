"""Whether the whole system serves: what its services say of themselves, asked all at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any, Literal

from functions.platform.databases import SERVICES
from shared.errors import AppError, FieldError, Unavailable
from shared.wire import Answer

State = Literal["ok", "down"]


class SystemHealth(Answer):
    """Every service serves; how its dependencies are."""

    status: Literal["ok"] = "ok"
    services: dict[str, State]
    dependencies: dict[str, dict[str, str]]


Get = Callable[[str, str], dict[str, Any]]  # `shared.calls.ask`: another service by its name, a path


def ask_all(get: Get, *, seconds: float) -> SystemHealth:
    """Ask every service, in parallel.

    Args:
        get: calls a public route of another service.
        seconds: for all of them together; who has not answered by then is down.

    Raises:
        Unavailable: a service is down; the details say how each is.
    """

    pool = ThreadPoolExecutor(len(SERVICES))
    asked = {pool.submit(_ask, get, service): service for service in SERVICES}
    done, _ = wait(asked, timeout=seconds)
    pool.shutdown(wait=False, cancel_futures=True)
    answers = {service: future.result() if future in done else None for future, service in asked.items()}
    states: dict[str, State] = {service: "ok" if answer else "down" for service, answer in answers.items()}
    if "down" in states.values():
        unavailable = Unavailable("services", retry_after=5)
        unavailable.details = [FieldError(service, state) for service, state in states.items()]
        raise unavailable
    return SystemHealth(
        services=states,
        dependencies={service: answer["dependencies"] for service, answer in answers.items() if answer},
    )


def _ask(get: Get, service: str) -> dict[str, Any] | None:
    try:
        return get(service, f"/api/health/{service}")
    except (AppError, ValueError):  # not there, or not an answer of ours
        return None
