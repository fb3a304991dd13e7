"""DELETE /api/auth/profile: close one's account and be forgotten by every service."""

from functions.auth import erasing, sign_in
from functions.auth.database import database
from functions.auth.models import ErasureAccepted, PasswordRequest
from shared.api import Api, Work
from shared.clock import now
from shared.identity import User
from shared.requests import RawRequest

api = Api("auth", database)


@api.delete("/api/auth/profile", status=202)
def erase_profile(request: PasswordRequest, user: User, http: RawRequest, work: Work) -> ErasureAccepted:
    """Close the account. 401 `INVALID_CREDENTIALS`, 409 `LAST_ADMIN`, 429 after repeated failures."""
    attempt = work(lambda sql: erasing.begin(sql, user.id, http.source_ip, now()))
    person = sign_in.check(attempt, request.password)
    work(lambda sql: erasing.erase(sql, person, now()))
    return ErasureAccepted()


handler = api.handler
