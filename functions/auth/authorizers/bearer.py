"""Before every route that is not public: who calls, and is the session still on?

A REQUEST authorizer whose answers API Gateway does not cache, so that a logout cuts at once. It says who the caller
is and lets everybody signed in pass; what a role may do, the handlers say.
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-output.html
"""

from typing import Any

from functions.auth import access_tokens, liveness
from functions.auth.access_tokens import Claims
from shared.clock import now
from shared.errors import Unauthenticated


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """The caller's identity and a policy for the whole API.

    Raises:
        Exception: "Unauthorized", the text that API Gateway turns into a 401, for anything wrong with the token.
        Unavailable: a dependency is down; API Gateway answers with an error of its own.
    """
    try:
        claims = access_tokens.verify(_token(event))
        if not liveness.is_live(claims.user_id, claims.session_id, now()):
            raise Unauthenticated()
    except Unauthenticated:
        raise Exception("Unauthorized") from None
    return _pass(claims, event["methodArn"])


def _token(event: dict[str, Any]) -> str:
    headers = event.get("headers") or {}
    header = next((value for name, value in headers.items() if name.lower() == "authorization"), None)
    scheme, _, token = (header or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated()
    return token.strip()


def _pass(claims: Claims, method_arn: str) -> dict[str, Any]:
    api, stage, *_ = method_arn.split("/")
    return {
        "principalId": str(claims.user_id),
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": f"{api}/{stage}/*"}
            ],
        },
        "context": {
            "userId": str(claims.user_id),
            "role": str(claims.role),
            "sessionId": str(claims.session_id),
            "email": claims.email,
        },
    }
