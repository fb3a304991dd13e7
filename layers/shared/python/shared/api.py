"""API Gateway → Lambda: one route, one function. A thin layer over Powertools' resolver.

A route is declared with its method and path and takes what it needs by type: path and query parameters, one `Body`
model, the `User` who calls, the `RawRequest`, and its unit of work, either as an open `Sql` (the usual case: the
transaction commits when the route returns) or as a `Work` to run when the route has something to do before.

Every answer carries the contract's headers, every error its body; nothing else about HTTP is said in a route.
"""

import inspect
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.event_handler.openapi.params import Param, Query
from pydantic import BaseModel
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo

from shared import idempotency, maintenance, requests
from shared.card_data import looks_like_card_number
from shared.database import Database, Sql
from shared.errors import AppError, BadInput, FieldError, Forbidden
from shared.identity import Role, User
from shared.log import begin, logger
from shared.requests import RawRequest
from shared.responses import answer_of, error_of

Idempotent = Literal["optional", "required"]
Route = Callable[..., Any]
Check = Callable[[Sql, dict[str, Any]], list[FieldError]]
KEY = "Idempotency-Key"


@dataclass(frozen=True)
class Declared:
    """What a route says of itself; the OpenAPI document and the whole-system tests read it."""

    method: str
    path: str
    status: int
    access: Role | Literal["public", "user"]
    idempotent: Idempotent | None
    function: Route
    during_maintenance: bool = True


class Work:
    """The request's unit of work: one transaction, with the idempotency key (if any) claimed and answered in it."""

    def __init__(self, database: Database, key: idempotency.Key | None, status: int) -> None:
        self._database, self._key, self._status = database, key, status
        self.replayed: dict[str, Any] | None = None

    def __call__(self, run: Callable[[Sql], Any]) -> Any:
        """Run `run` in the transaction and commit; its result, or None if the key's answer is kept: see `replayed`."""
        with self._database.transaction() as sql:
            if self._key is not None:
                self.replayed = idempotency.claim(sql, self._key)
                if self.replayed is not None:
                    return None
            result = run(sql)
            if self._key is not None:
                body = (
                    result.model_dump(mode="json", by_alias=True) if isinstance(result, BaseModel) else None
                )
                idempotency.keep(sql, self._key, self._status, body)
            return result


class Api:
    """The route of one Lambda. `handler` is what the function runs."""

    def __init__(self, service: str, database: Database | None = None) -> None:
        self.service, self._database = service, database
        self._log = logger(service)
        self._resolver = APIGatewayRestResolver(
            enable_validation=True, json_body_deserializer=requests.parse_json
        )
        self._resolver.exception_handler(Exception)(self._error)
        self.declared: list[Declared] = []
        self._also_check: Check | None = None

    def get(self, path: str, **options: Any) -> Callable[[Route], Route]:
        """Declare a GET; see `route`."""
        return self.route("GET", path, **options)

    def post(self, path: str, **options: Any) -> Callable[[Route], Route]:
        """Declare a POST; see `route`."""
        return self.route("POST", path, **options)

    def put(self, path: str, **options: Any) -> Callable[[Route], Route]:
        """Declare a PUT; see `route`."""
        return self.route("PUT", path, **options)

    def patch(self, path: str, **options: Any) -> Callable[[Route], Route]:
        """Declare a PATCH; see `route`."""
        return self.route("PATCH", path, **options)

    def delete(self, path: str, **options: Any) -> Callable[[Route], Route]:
        """Declare a DELETE; see `route`."""
        return self.route("DELETE", path, **options)

    def route(
        self,
        method: str,
        path: str,
        *,
        status: int = 200,
        role: Role | None = None,
        idempotent: Idempotent | None = None,
        cache_seconds: int = 0,
        during_maintenance: bool = False,
        also_check: Check | None = None,
    ) -> Callable[[Route], Route]:
        """Declare this Lambda's route.

        Args:
            path: as in the template, `/api/tickets/{ticketId}`; parameters arrive in snake_case.
            status: of a success; 204 answers without a body.
            role: the least role (an admin always passes); without it any signed-in user may, if the function takes a
                `User`.
            idempotent: whether an `Idempotency-Key` is honoured (`"optional"`) or demanded (`"required"`).
            cache_seconds: how long shared caches may keep the answer of a public GET.
            during_maintenance: whether a route that writes is served during maintenance, too; reading ones and webhooks
                always are.
            also_check: what only the database can tell of the body. The use case asks it of a valid body anyway; this
                is asked of an invalid one, so that one answer names every offending field.
        """
        self._also_check = also_check

        def register(function: Route) -> Route:
            takes = _Takes.of(function)
            access: Role | Literal["public", "user"] = role or ("user" if takes.user else "public")
            served = method == "GET" or during_maintenance or maintenance.tells_us(path)
            self.declared.append(Declared(method, path, status, access, idempotent, function, served))

            def call(**values: Any) -> Response[Any]:
                event = self._resolver.current_event.raw_event
                arguments = {takes.names.get(name, name): value for name, value in values.items()}
                return self._call(self.declared[-1], takes, event, arguments, cache_seconds)

            call.__signature__ = takes.signature  # type: ignore[attr-defined]  # what Powertools validates against
            call.__annotations__ = {p.name: p.annotation for p in takes.signature.parameters.values()}
            call.__name__ = function.__name__
            rule = path.replace("{", "<").replace("}", ">")
            self._resolver.route(rule, method, status_code=status, operation_id=function.__name__)(call)
            return function

        return register

    def handler(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        """The Lambda handler."""
        request_id = requests.request_id(event)
        begin(self._log, request_id)
        try:
            self._admit(event)
            answer = self._resolver.resolve(requests.checked(event), context)
        except AppError as error:
            answer = error_of(error, request_id)
        own = {
            name: ", ".join(values) for name, values in (answer.pop("multiValueHeaders", None) or {}).items()
        }
        answer["headers"] = requests.common_headers(event, request_id) | own | answer.get("headers", {})
        return answer

    def _admit(self, event: dict[str, Any]) -> None:
        """What is refused before the request is even looked at: another version, a write during maintenance, no token,
        too small a role.
        """
        requests.check_version(event)
        declared = self.declared[-1]
        if not declared.during_maintenance:
            maintenance.refuse()
        if declared.access == "public":
            return
        user = User.of(event)
        if isinstance(declared.access, Role) and user.role not in (declared.access, Role.ADMIN):
            raise Forbidden()

    def _call(
        self,
        declared: Declared,
        takes: "_Takes",
        event: dict[str, Any],
        arguments: dict[str, Any],
        cache: int,
    ) -> Response[Any]:
        self._log.append_keys(order_id=_order_of(arguments))
        user = None if declared.access == "public" else User.of(event)
        if takes.user:
            arguments[takes.user] = user
        if takes.request:
            arguments[takes.request] = RawRequest(event)
        work = self._work(declared, event, user)
        result: Any
        if takes.sql:
            result = work(lambda sql: declared.function(**arguments, **{takes.sql: sql}))
        else:
            result = declared.function(**arguments, **({takes.work: work} if takes.work else {}))
        return answer_of(
            result, declared.status, replayed=work.replayed if work else None, cache_seconds=cache
        )

    def _work(self, declared: Declared, event: dict[str, Any], user: User | None) -> Any:
        if self._database is None:
            return None
        return Work(self._database, _key(declared, event, user), declared.status)

    def _error(self, error: Exception) -> Response[Any]:
        event = self._resolver.current_event.raw_event
        if isinstance(error, RequestValidationError):
            error = self._completed(requests.invalid(error), event)
        return requests.error_response(error, self._log, requests.request_id(event))

    def _completed(self, error: BadInput, event: dict[str, Any]) -> BadInput:
        """With what is wrong with the key, and what the database has to say of the body, unless it is away."""
        error = BadInput(details=[*error.details, *_wrong_key(self.declared[-1], event)])
        if self._also_check is None or self._database is None or not event.get("body"):
            return error
        try:
            body = requests.parse_json(requests.body_text(event))
            with self._database.reading() as sql:
                more = self._also_check(sql, body) if isinstance(body, dict) else []
        except AppError:
            return error
        named = {detail.field for detail in error.details}
        return BadInput(details=error.details + [detail for detail in more if detail.field not in named])


def _order_of(arguments: dict[str, Any]) -> str | None:
    """The order that a valid request names, in its path, its query or its body."""
    found = arguments.get("order_id") or next(
        (found for value in arguments.values() if (found := getattr(value, "order_id", None))), None
    )
    return str(found) if found else None


def _key(declared: Declared, event: dict[str, Any], user: User | None) -> idempotency.Key | None:
    if declared.idempotent is None or user is None:
        return None
    if wrong := _wrong_key(declared, event):
        raise BadInput(details=wrong)
    value = requests.header(event, KEY)
    if value is None:
        return None
    return idempotency.Key.of(
        value,
        user=user.id,
        method=declared.method,
        path=event["path"].rstrip("/"),  # API Gateway overlooks a slash at the end
        body=requests.parse_json(requests.body_text(event)) if event.get("body") else None,
    )


def _wrong_key(declared: Declared, event: dict[str, Any]) -> list[FieldError]:
    """What is wrong with the idempotency key of a request to a route that takes one; nothing, if it is right."""
    value = requests.header(event, KEY)
    if declared.idempotent is None or (value is None and declared.idempotent == "optional"):
        return []
    if value is None:
        return [FieldError(KEY, "This header is required")]
    if not (1 <= len(value) <= idempotency.MAX_KEY_LENGTH and value.isascii() and value.isprintable()):
        return [FieldError(KEY, f"1 to {idempotency.MAX_KEY_LENGTH} characters of ASCII")]
    if looks_like_card_number(value):
        return [FieldError(KEY, "Looks like a card number: use a random value, such as a UUID")]
    return []


@dataclass(frozen=True)
class _Takes:
    """Which parameters of a route are injected (by type), and the signature of the rest, in names of the wire."""

    signature: inspect.Signature
    names: dict[str, str]
    user: str
    sql: str
    work: str
    request: str

    @classmethod
    def of(cls, function: Route) -> "_Takes":
        hints = typing.get_type_hints(function, include_extras=True)
        injected = {User: "", Sql: "", Work: "", RawRequest: ""}
        parameters, names = [], {}
        for name, parameter in inspect.signature(function).parameters.items():
            kind = hints[name]
            if kind in injected:
                injected[kind] = name
                continue
            wire = (
                name
                if typing.get_origin(kind) is typing.Annotated and name.startswith("if_")
                else to_camel(name)
            )
            names[wire] = name
            parameters.append(
                parameter.replace(name=wire, annotation=_located(kind), kind=parameter.KEYWORD_ONLY)
            )
        return cls(
            inspect.Signature(parameters),
            names,
            user=injected[User],
            sql=injected[Sql],
            work=injected[Work],
            request=injected[RawRequest],
        )


def _located(kind: Any) -> Any:
    """A constrained type (`Annotated[int, Field(ge=1)]`) is a query parameter unless it says otherwise."""
    inner = next((k for k in typing.get_args(kind) if typing.get_origin(k) is typing.Annotated), kind)
    marks = getattr(kind, "__metadata__", ()) or getattr(inner, "__metadata__", ())
    if any(isinstance(mark, FieldInfo) for mark in marks) and not any(
        isinstance(mark, Param) for mark in marks
    ):
        return typing.Annotated[kind, Query()]
    return kind
