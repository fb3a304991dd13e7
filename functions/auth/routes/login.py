"""POST /api/auth/login: address and password for the tokens of a new session."""

from functions.auth import access_tokens, sign_in
from functions.auth.database import database
from functions.auth.models import LoginRequest, SignedIn
from functions.auth.signed_in import signed_in
from shared.api import Api, Work
from shared.clock import now
from shared.requests import RawRequest

api = Api("auth", database)


@api.post("/api/auth/login", during_maintenance=True)
def login(request: LoginRequest, http: RawRequest, work: Work) -> SignedIn:
    """Sign in. 401 `INVALID_CREDENTIALS`, 403 `EMAIL_NOT_VERIFIED`, 429 after repeated failures."""
    issuer = access_tokens.issuer()
    attempt = work(lambda sql: sign_in.begin(sql, request.email, http.source_ip, now()))
    user = sign_in.check(attempt, request.password)
    session = work(lambda sql: sign_in.complete(sql, attempt, user, now()))
    if session is None:
        raise sign_in.EmailNotVerified()
    return signed_in(session, issuer, now())


handler = api.handler
