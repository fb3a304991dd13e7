"""The authorizer: whom it lets in, and every way of forging a token that we know of."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from functions.auth.authorizers import bearer
from functions.auth.cache import cache
from functions.auth.database import database
from functions.auth.signing_keys import keys
from shared import signing_keys
from shared.errors import Unavailable
from tests.cloud import Extension
from tests.people import Desk
from tests.support import context

Forge = Callable[[dict[str, Any], dict[str, Any]], str]


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def signed(claims: dict[str, Any], header: dict[str, Any], key: Any = None) -> str:
    return jwt.encode(claims, key or keys.current().private, algorithm="ES256", headers=header)


def with_public_key_as_secret(claims: dict[str, Any], header: dict[str, Any]) -> str:
    """HS256 with the public key as the secret: what a verifier that believes the header accepts."""
    public = keys.current().private.public_key()
    mac = hmac.HMAC(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), hashes.SHA256())
    text = f"{part(header | {'alg': 'HS256'})}.{part(claims)}"
    mac.update(text.encode())
    return f"{text}.{base64.urlsafe_b64encode(mac.finalize()).decode().rstrip('=')}"


def tampered(claims: dict[str, Any], header: dict[str, Any]) -> str:
    head, _, signature = signed(claims, header).split(".")
    return f"{head}.{part(claims | {'role': 'ADMIN'})}.{signature}"


def of_own_key(claims: dict[str, Any], header: dict[str, Any]) -> str:
    """With the attacker's key, which the header brings along."""
    own = ec.generate_private_key(ec.SECP256R1())
    jwk = jwt.algorithms.ECAlgorithm.to_jwk(own.public_key(), as_dict=True)
    return signed(claims, header | {"jwk": jwk}, own)


FORGERIES: dict[str, Forge] = {
    "no algorithm": lambda c, h: f"{part(h | {'alg': 'none'})}.{part(c)}.",
    "no algorithm, in capitals": lambda c, h: f"{part(h | {'alg': 'NONE'})}.{part(c)}.",
    "no signature": lambda c, h: f"{part(h | {'alg': 'ES256'})}.{part(c)}.",
    "the public key as a secret": with_public_key_as_secret,
    "tampered": tampered,
    "another key": of_own_key,
    "an unknown key id": lambda c, h: signed(c, h | {"kid": "other"}),
    "a key id that is a path": lambda c, h: signed(c, h | {"kid": "../../../../dev/null"}),
    "a key id that is a statement": lambda c, h: signed(c, h | {"kid": "' OR '1'='1"}),
    "a key that lies elsewhere": lambda c, h: signed(
        c, h | {"kid": "far", "jku": "https://example.net/.well-known/jwks.json"}
    ),
    "another curve's algorithm": lambda c, h: f"{part(h | {'alg': 'ES384'})}.{part(c)}.AAAA",
    "a key of another kind under our key id": lambda c, h: jwt.encode(
        c, ed25519.Ed25519PrivateKey.generate(), algorithm="EdDSA", headers=h
    ),
    "a key id that is no text": lambda c, h: f"{part(h | {'alg': 'ES256', 'kid': 1})}.{part(c)}.AAAA",
    "expired": lambda c, h: signed(c | {"iat": c["iat"] - 901, "exp": c["iat"] - 1}, h),
    "not yet issued": lambda c, h: signed(c | {"iat": c["iat"] + 600}, h),
    "another audience": lambda c, h: signed(c | {"aud": "someone-else"}, h),
    "several audiences": lambda c, h: signed(c | {"aud": ["box-office-api", "x"]}, h),
    "another issuer": lambda c, h: signed(c | {"iss": "someone-else"}, h),
    "a role there is not": lambda c, h: signed(c | {"role": "ROOT"}, h),
    "no session": lambda c, h: signed(c | {"sid": str(uuid4())}, h),
    "somebody else's session": lambda c, h: signed(c | {"sub": str(uuid4())}, h),
    "a subject that is no id": lambda c, h: signed(c | {"sub": "ada"}, h),
    "claims that are a list": lambda _c, h: f"{part(h | {'alg': 'ES256'})}.{part([1])}.AAAA",
    "nonsense": lambda _c, _h: "nonsense",
    "not base64": lambda _c, _h: "é.é.é",
    "empty parts": lambda _c, _h: "..",
} | {
    f"without {claim}": lambda c, h, claim=claim: signed({k: v for k, v in c.items() if k != claim}, h)
    for claim in ("iss", "aud", "sub", "sid", "role", "email", "iat", "exp", "jti")
}


@pytest.fixture
def token(desk: Desk) -> str:
    return str(desk.signed_in(desk.person())["accessToken"])


def test_who_is_let_in_is_named_and_may_call_the_whole_api(desk: Desk, token: str) -> None:
    answer = desk.authorize(token)

    claims = jwt.decode(token, options={"verify_signature": False})
    assert answer["principalId"] == claims["sub"]
    assert answer["context"] == {
        "userId": claims["sub"],
        "role": "ATTENDEE",
        "sessionId": claims["sid"],
        "email": claims["email"],
    }
    (statement,) = answer["policyDocument"]["Statement"]
    assert statement["Effect"] == "Allow"
    assert statement["Resource"] == "arn:aws:execute-api:us-east-1:123456789012:api/dev/*"


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_token_is_refused(desk: Desk, token: str, name: str) -> None:
    claims = jwt.decode(token, options={"verify_signature": False})
    header = {"typ": "JWT", "kid": keys.current().kid}
    assert desk.is_let_in(signed(claims, header)), "made the same way but not forged, it passes"

    assert not desk.is_let_in(FORGERIES[name](claims, header))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic YTpi"},
    ],
)
def test_a_header_that_holds_no_token_is_refused(desk: Desk, headers: dict[str, str]) -> None:
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        bearer.handler({"headers": headers, "methodArn": "arn/dev/GET/x"}, context())


def test_without_redis_postgresql_is_asked(desk: Desk, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CACHE_PORT", "9")
    cache.reset()

    assert desk.is_let_in(token)
    desk.db.run("UPDATE user_sessions SET revoked_at = now()")
    assert not desk.is_let_in(token)


def test_without_redis_and_postgresql_it_is_not_the_tokens_fault(
    desk: Desk, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CACHE_PORT", "9")
    monkeypatch.setenv("DATABASE_PORT", "9")
    cache.reset()
    database.reset()

    with pytest.raises(Unavailable):
        desk.authorize(token)


def test_a_live_session_in_the_cache_needs_no_postgresql(
    desk: Desk, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert desk.is_let_in(token)
    monkeypatch.setenv("DATABASE_PORT", "9")
    database.reset()

    assert desk.is_let_in(token)


def test_known_keys_stay_good_when_they_cannot_be_read_again(
    desk: Desk, token: str, extension: Extension, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert desk.is_let_in(token)
    del extension.parameters["jwks"]
    monkeypatch.setattr(signing_keys, "REFRESH_SECONDS", 0)

    assert desk.is_let_in(token)
    keys.forget()
    with pytest.raises(Unavailable):
        desk.authorize(token)


def test_a_key_that_was_published_just_now_is_found(
    desk: Desk, token: str, extension: Extension, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert desk.is_let_in(token)
    claims = jwt.decode(token, options={"verify_signature": False})
    new = ec.generate_private_key(ec.SECP256R1())
    jwk = jwt.algorithms.ECAlgorithm.to_jwk(new.public_key(), as_dict=True) | {"kid": "new"}
    later = signed(claims, {"kid": "new"}, new)
    assert not desk.is_let_in(later)
    extension.parameters["jwks"] = json.dumps({"keys": [*keys.published(), jwk]})

    assert not desk.is_let_in(later), "not looked for again with every forgery"
    monkeypatch.setattr(signing_keys, "LOOK_AGAIN_SECONDS", 0)

    assert desk.is_let_in(later)
    assert desk.is_let_in(token)


def test_importing_it_is_cheap() -> None:
    """Every cold start of every call that is not public pays for it: no AWS SDK, no Pydantic, no HTTP resolver."""
    heavy = (
        "boto3",
        "botocore.client",
        "pydantic",
        "stripe",
        "redis",
        "argon2",
        "aws_lambda_powertools.event_handler",
    )
    script = f"import sys, {bearer.__name__}; print([name for name in {heavy} if name in sys.modules])"

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=_import_path())

    assert done.stdout.strip() == "[]", done.stderr


def _import_path() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": ":".join(path for path in sys.path if path)}
