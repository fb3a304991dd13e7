"""The answer to a sign-in and to a refresh: the tokens of a session."""

from datetime import datetime

from functions.auth import access_tokens
from functions.auth.access_tokens import Claims
from functions.auth.models import Profile, SignedIn
from functions.auth.records import Session


def signed_in(session: Session, at: datetime) -> SignedIn:
    """A fresh access token beside the session's refresh token."""
    claims = Claims(session.user.id, session.id, session.user.role, session.user.email)
    token, seconds = access_tokens.issue(claims, at)
    return SignedIn(
        access_token=token,
        expires_in=seconds,
        refresh_token=session.refresh_token,
        user=Profile.of(session.user),
    )
