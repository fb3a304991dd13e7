"""The answer to a sign-in and to a refresh: the tokens of a session."""

from datetime import datetime

from functions.auth.access_tokens import Claims, Issuer
from functions.auth.models import Profile, SignedIn
from functions.auth.records import Session


def signed_in(session: Session, issuer: Issuer, at: datetime) -> SignedIn:
    """A fresh access token beside the session's refresh token."""
    claims = Claims(session.user.id, session.id, session.user.role, session.user.email)
    return SignedIn(
        access_token=issuer.token(claims, at),
        expires_in=issuer.seconds,
        refresh_token=session.refresh_token,
        user=Profile.of(session.user),
    )
