"""Registering and signing in through the real handlers, for tests of auth."""

import importlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import boto3
import pytest

from functions.auth import settings, signing_keys
from functions.auth.authorizers import bearer
from functions.auth.cache import cache
from functions.auth.jobs import create_signing_keys
from shared import idempotency, job, key_rotation
from shared.identity import Role, User
from shared.settings import Setting
from tests.cloud import Cloud, Extension
from tests.databases import TestDatabase
from tests.support import Reply, call, context, proxy_event

PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Person:
    """Somebody with an account."""

    id: UUID
    email: str


class Desk:
    """The auth service, as the rest of the world sees it."""

    def __init__(self, db: TestDatabase, aws: Cloud) -> None:
        self.db, self.aws = db, aws

    def ask(self, route: str, body: Any = None, *, user: User | None = None, **options: Any) -> Reply:
        """Call the route of this file name."""
        api = importlib.import_module(f"functions.auth.routes.{route}").api
        return call(
            api.handler, api.declared[0].method, api.declared[0].path, body=body, user=user, **options
        )

    def register(self, **changes: Any) -> Reply:
        """Register somebody new."""
        details = {
            "email": f"{uuid4().hex}@example.com",
            "password": PASSWORD,
            "firstName": "Ada",
            "lastName": "Lovelace",
            "dateOfBirth": "1990-12-10",
        }
        return self.ask("register", details | changes)

    def person(self, **changes: Any) -> Person:
        """Somebody who has registered and verified the address."""
        registered = self.register(**changes)
        assert registered.status == 201, registered
        self.ask("verify_email", {"token": self.mailed("auth.verification_requested.v1")["token"]})
        return Person(UUID(registered.body["userId"]), registered.body["email"])

    def login(self, email: str, password: str = PASSWORD, *, source_ip: str = "203.0.113.7") -> Reply:
        """Try to sign in."""
        return self.ask("login", {"email": email, "password": password}, source_ip=source_ip)

    def signed_in(self, person: Person) -> dict[str, Any]:
        """The tokens of a new session."""
        reply = self.login(person.email)
        assert reply.status == 200, reply
        tokens: dict[str, Any] = reply.body
        return tokens

    def mailed(self, type: str) -> dict[str, Any]:
        """The data of the last message of this type."""
        data: dict[str, Any] = self.said(type)[-1]["data"]
        return data

    def said(self, type: str) -> list[dict[str, Any]]:
        """The messages of this type that auth has published."""
        return [message for message in self.aws.messages("auth") if message["type"] == type]

    def authorize(self, token: str) -> dict[str, Any]:
        """What the authorizer says of this token; it raises Exception("Unauthorized") for a bad one."""
        arn = "arn:aws:execute-api:us-east-1:123456789012:api/dev/GET/api/auth/profile"
        headers = {"authorization": f"Bearer {token}"}
        event = proxy_event("GET", "/api/auth/profile", "/api/auth/profile", headers=headers)
        return bearer.handler(event | {"type": "REQUEST", "methodArn": arn}, context())

    def is_let_in(self, token: str) -> bool:
        """Whether the authorizer lets this token pass."""
        try:
            return bool(self.authorize(token))
        except Exception as refusal:
            if str(refusal) != "Unauthorized":
                raise
            return False

    def user(self, token: str) -> User:
        """The caller with this token, as handlers see it behind the authorizer."""
        said = self.authorize(token)["context"]
        return User(UUID(said["userId"]), Role(said["role"]), UUID(said["sessionId"]), token)


def set_defaults(extension: Extension, *modules: Any) -> None:
    """Put the settings that these modules declare into Parameter Store, as a deployment does."""
    for module in modules:
        for setting in vars(module).values():
            if isinstance(setting, Setting):
                setting._value = None  # what an earlier test set is not in force any more
                extension.parameters[setting.name] = str(setting.default)


@contextmanager
def open_desk(db: TestDatabase, aws: Cloud, extension: Extension) -> Iterator[Desk]:
    """The auth service with keys of its own, as long as this lasts."""
    arn = boto3.client("secretsmanager").create_secret(Name="token-keys", SecretString="{}")["ARN"]
    set_defaults(extension, settings, idempotency, job, key_rotation)
    aws.topic("auth")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("TOKEN_KEYS_SECRET_ARN", arn)
        create_signing_keys.handler({}, context())
        publish_keys(extension, arn)
        cache.reset()
        try:
            yield Desk(db, aws)
        finally:
            signing_keys.keys.forget()
            cache.reset()


def publish_keys(extension: Extension, arn: str) -> None:
    """What the job wrote is what the extension reads."""
    held = boto3.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
    extension.secrets[arn] = json.loads(held)
    jwks = boto3.client("ssm").get_parameter(Name="/box-office/dev/jwks")["Parameter"]["Value"]
    extension.parameters["jwks"] = jwks
    signing_keys.keys.forget()


@contextmanager
def keys_unreadable(extension: Extension) -> Iterator[None]:
    """Secrets Manager is away, and no process knows the keys from before."""
    away, extension.secrets = extension.secrets, {}
    signing_keys.keys.forget()
    yield
    extension.secrets = away
