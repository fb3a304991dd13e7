"""A small HTTP client for whole-system tests: what a person's browser would send, and what it would read."""

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote, urlencode
from uuid import uuid4

import urllib3

Value = TypeVar("Value")

PASSWORD = "Correct-Horse-7"


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; `body` is its JSON, or None if it has none."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.content) if self.content else None

    @property
    def code(self) -> str | None:
        """The error's code, if it is an error of the contract's shape."""
        body = self.body
        return body["error"]["code"] if isinstance(body, dict) and "error" in body else None

    def expect(self, status: int) -> Any:
        """The JSON of an answer that must have this status."""
        assert self.status == status, (
            f"{self.status} instead of {status}: {self.content[:1000].decode(errors='replace')}"
        )
        return self.body


@dataclass
class Client:
    """One person at one address; `token` is sent with every request once it is there."""

    url: str
    token: str | None = None
    user_id: str | None = None
    email: str | None = None
    _pool: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(maxsize=16, retries=False))

    def get(self, path: str, **query: object) -> Answer:
        """GET `path`."""
        return self.send("GET", path + (f"?{urlencode(query)}" if query else ""))

    def post(self, path: str, body: object = None, *, key: str | None = None) -> Answer:
        """POST JSON; `key` becomes the Idempotency-Key, which has to be given where the contract requires one."""
        return self.send("POST", path, body, {"Idempotency-Key": key} if key else None)

    def put(self, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Answer:
        """PUT JSON."""
        return self.send("PUT", path, body, headers)

    def delete(self, path: str) -> Answer:
        """DELETE `path`."""
        return self.send("DELETE", path)

    def send(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send a request and read the whole answer."""
        sent = {"Content-Type": "application/json", **(headers or {})}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        answer = self._pool.request(method, self.url + path, body=content, headers=sent, timeout=35)
        return Answer(answer.status, answer.headers, answer.data)

    def newcomer(self, role: str = "ATTENDEE", first_name: str = "Nora") -> "Client":
        """Somebody new: registered, verified through the mail, signed in."""
        email = f"{first_name.lower()}-{uuid4().hex[:10]}@example.com"
        person = {"email": email, "password": PASSWORD, "firstName": first_name, "lastName": "Newcomer"}
        self.post("/api/auth/register", {**person, "dateOfBirth": "1991-02-03", "accountType": role}).expect(
            201
        )
        self.post("/api/auth/verify-email", {"token": self.token_mailed_to(email)}).expect(200)
        return self.signed_in(email, PASSWORD)

    def signed_in(self, email: str, password: str = PASSWORD) -> "Client":
        """This person, signed in."""
        answer = self.post("/api/auth/login", {"email": email, "password": password}).expect(200)
        return Client(self.url, answer["accessToken"], answer["user"]["userId"], email)

    def mails_to(self, email: str) -> list[dict[str, Any]]:
        """What was mailed to this address, newest first."""
        mails: list[dict[str, Any]] = self.send("GET", f"/_local/emails?to={quote(email)}").expect(200)
        return mails

    def token_mailed_to(self, email: str) -> str:
        """The token in the newest link mailed to this address."""

        def token() -> str | None:
            found = [re.search(r"token=([\w.~-]+)", mail["text"]) for mail in self.mails_to(email)]
            return next((match[1] for match in found if match), None)

        return eventually(token)


def eventually(ask: Callable[[], Value | None], seconds: float = 30) -> Value:
    """The first answer that is not None, False or empty; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        if answer := ask():
            return answer
        assert time.monotonic() < deadline, f"still nothing after {seconds} s"
        time.sleep(0.1)
