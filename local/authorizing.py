"""The Lambda authorizer: asks the function, reads its policy, gives the handler its context."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from local.gateway_events import Call, authorizer_event
from local.lambdas import LambdaHost
from local.permissions.gate import Denied
from local.resources import ACCOUNT, REGION, Authorizer


class Refused(Exception):
    """The call goes no further; `kind` is the gateway response type that answers it."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


async def authorize(host: LambdaHost, authorizer: Authorizer, call: Call) -> dict[str, Any]:
    """The context that the authorizer gives to the handler. Raises Refused, and TooManyRequests of the host."""
    headers, query = call.request.headers, call.request.rel_url.query
    if not all(headers.get(name) for name in authorizer.headers) or not all(
        query.get(n) for n in authorizer.query
    ):
        raise Refused("UNAUTHORIZED")
    _admit(host, authorizer, call)
    answer = await host.invoke(authorizer.function, json.dumps(authorizer_event(call)).encode())
    try:
        value = json.loads(answer.payload)
    except ValueError:
        raise Refused("AUTHORIZER_FAILURE") from None
    if answer.error is not None:
        unauthorized = isinstance(value, dict) and value.get("errorMessage") == "Unauthorized"
        raise Refused("UNAUTHORIZED" if unauthorized else "AUTHORIZER_FAILURE")
    if not isinstance(value, dict) or not isinstance(value.get("principalId"), str):
        raise Refused("AUTHORIZER_CONFIGURATION_ERROR")
    context = value.get("context") or {}
    if any(isinstance(item, dict | list) for item in context.values()):
        raise Refused("AUTHORIZER_CONFIGURATION_ERROR")
    if not _allows(value.get("policyDocument"), call.method_arn):
        raise Refused("ACCESS_DENIED")
    return {name: _text(item) for name, item in context.items() if item is not None} | {
        "principalId": value["principalId"],
        "integrationLatency": 0,
    }


def _admit(host: LambdaHost, authorizer: Authorizer, call: Call) -> None:
    """Raise Refused unless API Gateway may call the authorizer: by a role, or by the function's own policy."""
    try:
        if authorizer.role is not None:
            host.admit_role(authorizer.role, authorizer.target)
        else:
            source = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{call.api.id}/authorizers/{authorizer.function}"
            host.admit_service("apigateway.amazonaws.com", source, authorizer.target)
    except Denied as denied:
        print(f"gateway: {denied}", flush=True)
        raise Refused("AUTHORIZER_CONFIGURATION_ERROR") from denied


def _allows(policy: object, arn: str) -> bool:
    """Whether a policy allows `execute-api:Invoke` on `arn`: one Allow and no Deny."""
    if not isinstance(policy, Mapping):
        return False
    statements = policy.get("Statement") or []
    effects = {statement.get("Effect") for statement in _list(statements) if _applies(statement, arn)}
    return "Allow" in effects and "Deny" not in effects


def _applies(statement: Mapping[str, Any], arn: str) -> bool:
    actions = any(_like(pattern, "execute-api:Invoke") for pattern in _list(statement.get("Action")))
    return actions and any(_like(pattern, arn) for pattern in _list(statement.get("Resource")))


def _like(pattern: str, text: str) -> bool:
    expression = "".join({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in pattern)
    return re.fullmatch(expression, text, re.DOTALL | re.IGNORECASE) is not None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
