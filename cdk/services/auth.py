"""Auth: accounts, sessions, and the authorizer that stands before every route that is not public."""

from cdk.messaging import Queue
from cdk.service import Authorizer, Consumer, Ground, Job, Route, Row

QUEUES = (Queue("auth-exports"),)


# A row is a line.  # ruff: noqa: E501
# fmt: off
def rows(on: Ground) -> list[Row]:
    """Every function of the service, and what it may touch."""
    db, publish, cache = on.data.database("auth"), on.messaging.publish("auth"), on.data.cache
    keys, exports, parts = on.data.token_keys, on.messaging.send("auth-exports"), on.buckets.exports
    return [
        Route("POST",  "/api/auth/register",            "register",            "public", uses=[db, publish], hot=True),
        Route("POST",  "/api/auth/verify-email",        "verify_email",        "public", uses=[db]),
        Route("POST",  "/api/auth/resend-verification", "resend_verification", "public", uses=[db, publish]),
        Route("POST",  "/api/auth/login",               "login",               "public", uses=[db, keys.read], hot=True),
        Route("POST",  "/api/auth/refresh",             "refresh",             "public", uses=[db, cache, keys.read]),
        Route("POST",  "/api/auth/logout",              "logout",              "user",   uses=[db, cache]),
        Route("POST",  "/api/auth/forgot-password",     "forgot_password",     "public", uses=[db, publish]),
        Route("POST",  "/api/auth/reset-password",      "reset_password",      "public", uses=[db, cache], hot=True),
        Route("GET",   "/api/auth/profile",             "get_profile",         "user",   uses=[db]),
        Route("PATCH", "/api/auth/profile",             "update_profile",      "user",   uses=[db, publish]),
        Route("POST",  "/api/auth/profile/export",      "export_profile",      "user",   uses=[db, publish, exports]),
        Route("GET",   "/api/auth/exports/{token}",     "download_export",     "public", uses=[db, parts.sign]),
        Route("DELETE", "/api/auth/profile",            "erase_profile",       "user",   uses=[db, publish, exports, cache]),
        Route("GET",   "/.well-known/jwks.json",        "jwks",                "public"),
        Route("GET",   "/api/health/auth",              "health",              "public", uses=[db, cache]),

        Authorizer("bearer", uses=[db, cache]),

        Consumer("exports", queue="auth-exports", uses=[db, publish, exports, parts.collect]),

        Job("sweep_messages",      "every minute",  uses=[db, publish, exports]),
        Job("ask_for_exports",     "every minute",  uses=[db, publish, exports]),
        Job("forget_expired",      "every hour",    uses=[db]),
        Job("create_signing_keys", "on deployment", uses=[keys.make, on.settings.publish_keys("jwks")]),
        Job("rotate_signing_keys", "by hand",       uses=[keys.make, on.settings.publish_keys("jwks")]),
        Job("grant_role",          "by hand",       uses=[db, publish, cache]),
    ]
# fmt: on
