"""The keys of access tokens: made once on deployment, published without their private part."""

import json
import os

import boto3
import jwt

from functions.auth.jobs import create_signing_keys
from tests.people import Desk
from tests.support import context


def held() -> str:
    arn = os.environ["TOKEN_KEYS_SECRET_ARN"]
    return str(boto3.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"])


def test_the_published_keys_verify_a_token_and_hold_nothing_private(desk: Desk) -> None:
    token = desk.signed_in(desk.person())["accessToken"]

    reply = desk.ask("jwks")

    assert reply.status == 200
    assert reply.headers["Cache-Control"] == "public, max-age=300"
    (key,) = reply.body["keys"]
    assert set(key) == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    claims = jwt.decode(
        token,
        jwt.PyJWK(key).key,
        algorithms=["ES256"],
        audience="box-office-api",
        issuer="box-office",
    )
    assert claims["exp"] - claims["iat"] == 900
    assert jwt.get_unverified_header(token)["kid"] == key["kid"]


def test_keys_are_made_once_and_published_each_time(desk: Desk) -> None:
    before = held()
    boto3.client("ssm").delete_parameter(Name="/box-office/dev/jwks")

    assert create_signing_keys.handler({}, context()) == {"handled": 0}

    assert held() == before
    published = boto3.client("ssm").get_parameter(Name="/box-office/dev/jwks")["Parameter"]["Value"]
    assert [key["kid"] for key in json.loads(published)["keys"]] == [json.loads(before)["current"]]


def test_a_placeholder_is_replaced(desk: Desk) -> None:
    arn = os.environ["TOKEN_KEYS_SECRET_ARN"]
    for placeholder in ("not json", "[]", '{"keys": []}'):
        boto3.client("secretsmanager").put_secret_value(SecretId=arn, SecretString=placeholder)

        assert create_signing_keys.handler({}, context()) == {"handled": 1}
        assert json.loads(held())["keys"][0]["d"]
