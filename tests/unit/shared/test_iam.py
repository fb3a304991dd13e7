"""Passwords that are signatures: the tokens for RDS Proxy and ElastiCache, against botocore's own."""

from urllib.parse import parse_qs, urlsplit

import boto3
import pytest

from shared.cache_credentials import IamCredentials
from shared.iam import cache_token, database_token

HOST = "box-office.proxy-abc.us-east-1.rds.amazonaws.com"


def parts(token: str) -> tuple[str, dict[str, str]]:
    url = urlsplit(f"https://{token}")
    return url.netloc, {name: values[0] for name, values in parse_qs(url.query).items()}


def test_a_database_token_says_what_botocores_own_says() -> None:
    theirs = boto3.client("rds").generate_db_auth_token(DBHostname=HOST, Port=5432, DBUsername="tickets_app")

    (our_host, ours), (their_host, theirs_parts) = (
        parts(database_token(HOST, 5432, "tickets_app")),
        parts(theirs),
    )

    assert our_host == their_host == f"{HOST}:5432"
    changing = {"X-Amz-Date", "X-Amz-Signature"}
    assert {k: v for k, v in ours.items() if k not in changing} == {
        k: v for k, v in theirs_parts.items() if k not in changing
    }


def test_in_the_same_second_the_signature_is_botocores_own() -> None:
    rds = boto3.client("rds")
    for _ in range(20):  # two tokens of one second are soon found
        ours = parts(database_token(HOST, 5432, "tickets_app"))[1]
        theirs = parts(rds.generate_db_auth_token(DBHostname=HOST, Port=5432, DBUsername="tickets_app"))[1]
        if ours["X-Amz-Date"] == theirs["X-Amz-Date"]:
            break
    assert ours == theirs


def test_a_cache_token_is_for_one_user_of_one_serverless_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CACHE_NAME", "box-office-dev")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "session")

    name, token = IamCredentials("box-office").get_credentials()
    host, said = parts(token)

    assert (name, host) == ("box-office", "box-office-dev")
    assert said["Action"] == "connect"
    assert said["User"] == "box-office"
    assert said["ResourceType"] == "ServerlessCache"
    assert said["X-Amz-Expires"] == "900"
    assert said["X-Amz-Security-Token"] == "session"
    assert "/elasticache/aws4_request" in said["X-Amz-Credential"]
    assert token != cache_token("another-cache", "box-office")
