"""POST /api/auth/refresh: new tokens for a session. A refresh token works once."""

from functions.auth import access_tokens, sessions
from functions.auth.database import database
from functions.auth.models import RefreshRequest, SignedIn
from functions.auth.signed_in import signed_in
from shared.api import Api, Work
from shared.clock import now

api = Api("auth", database)


@api.post("/api/auth/refresh", during_maintenance=True)
def refresh(request: RefreshRequest, work: Work) -> SignedIn:
    """Exchange the refresh token. 401 `INVALID_TOKEN`; one that was exchanged before ends its session."""
    issuer = access_tokens.issuer()
    session = work(lambda sql: sessions.refresh(sql, request.refresh_token, now()))
    if session is None:
        raise sessions.InvalidRefreshToken()
    return signed_in(session, issuer, now())


handler = api.handler
