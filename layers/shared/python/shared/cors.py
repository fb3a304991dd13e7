"""CORS for the configured web origins, on every answer, errors included. API Gateway itself answers preflights."""

import os

EXPOSED = "API-Version, Idempotency-Replayed, Retry-After, X-Request-Id"


def headers(origin: str) -> dict[str, str]:
    """The CORS headers for a request from `origin`; none if it is not one of ours (`WEB_ORIGINS`, comma-separated)."""
    allowed = os.environ.get("WEB_ORIGINS", "").split(",")
    if origin not in allowed and "*" not in allowed:
        return {}
    return {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": EXPOSED}
