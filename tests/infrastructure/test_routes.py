"""Every route: who may call it, what its file says, its preflight; and the gateway's own answers."""

import importlib
import json
from typing import Any

import pytest

from cdk import api, gateway_answers
from cdk.stages import DEV, PROD
from shared import cors, requests
from shared.identity import Role
from shared.responses import SECURITY_HEADERS
from tests.infrastructure.template import Resource, System

CALLERS = {
    "public": "public",
    "signature": "public",
    "user": "user",
    "organizer": Role.ORGANIZER,
    "admin": Role.ADMIN,
}
ERROR_TYPES = {
    "UNAUTHORIZED": ("401", "UNAUTHORIZED"),
    "ACCESS_DENIED": ("403", "FORBIDDEN"),
    "MISSING_AUTHENTICATION_TOKEN": ("404", "NOT_FOUND"),
    "BAD_REQUEST_BODY": ("400", "VALIDATION_ERROR"),
    "REQUEST_TOO_LARGE": ("413", "REQUEST_TOO_LARGE"),
    "THROTTLED": ("429", "TOO_MANY_REQUESTS"),
    "QUOTA_EXCEEDED": ("429", "TOO_MANY_REQUESTS"),
    "INTEGRATION_FAILURE": ("503", "SERVICE_UNAVAILABLE"),
    "INTEGRATION_TIMEOUT": ("504", "TIMEOUT"),
}


def path_of(system: System, method: Resource) -> str:
    parts: list[str] = []
    place = method.properties["ResourceId"]
    while "Ref" in place:
        resource = system.target(method.stack, place)
        parts.insert(0, resource.properties["PathPart"])
        place = resource.properties["ParentId"]
    return "/" + "/".join(parts)


def methods(system: System) -> list[Resource]:
    return [m for m in system.of_type("AWS::ApiGateway::Method") if m.properties["HttpMethod"] != "OPTIONS"]


def function_of(system: System, method: Resource) -> Resource:
    return system.called(method.stack, method.properties["Integration"]["Uri"])


def test_every_route_has_a_stated_caller_and_all_but_public_ones_pass_the_authorizer(system: System) -> None:
    for method in methods(system):
        guarded = method.metadata["caller"] in ("user", "organizer", "admin")
        assert method.metadata["caller"] in CALLERS
        assert method.properties["AuthorizationType"] == ("CUSTOM" if guarded else "NONE")
        assert ("AuthorizerId" in method.properties) == guarded


def test_a_row_says_of_its_route_what_the_route_s_file_says(system: System) -> None:
    for method in methods(system):
        function = function_of(system, method)
        module = importlib.import_module(function.properties["Handler"].removesuffix(".handler"))
        said = [(d.method, d.path, d.access) for d in module.api.declared]
        caller = CALLERS[method.metadata["caller"]]
        assert said == [(method.properties["HttpMethod"], path_of(system, method), caller)]


def test_every_function_of_a_route_is_called_by_exactly_one_method(system: System) -> None:
    called = [function_of(system, method).properties["Handler"] for method in methods(system)]
    assert sorted(called) == sorted(handler for handler in system.functions if ".routes." in handler)


def test_no_route_s_function_outlives_what_api_gateway_waits(system: System) -> None:
    for method in methods(system):
        assert function_of(system, method).properties["Timeout"] < 29


def test_the_authorizer_is_asked_on_every_call(system: System) -> None:
    (authorizer,) = system.of_type("AWS::ApiGateway::Authorizer")
    assert authorizer.properties["Type"] == "REQUEST"
    assert authorizer.properties["AuthorizerResultTtlInSeconds"] == 0
    assert authorizer.properties["IdentitySource"] == "method.request.header.Authorization"


def test_every_path_answers_a_preflight_for_the_web_front_end(system: System) -> None:
    preflights = {
        path_of(system, m): m
        for m in system.of_type("AWS::ApiGateway::Method")
        if m.properties["HttpMethod"] == "OPTIONS"
    }
    assert set(preflights) == {path_of(system, method) for method in methods(system)}
    for path, preflight in preflights.items():
        (answer,) = preflight.properties["Integration"]["IntegrationResponses"]
        headers = {
            k.removeprefix("method.response.header."): v for k, v in answer["ResponseParameters"].items()
        }
        assert preflight.properties["AuthorizationType"] == "NONE"
        assert "Access-Control-Allow-Origin" not in headers  # the template names whoever of ours asks
        (template,) = answer["ResponseTemplates"].values()
        assert template == gateway_answers.allow_origin(DEV.web_origins)
        for header in ("Authorization", "Idempotency-Key", "If-Match", "API-Version"):
            assert header in headers["Access-Control-Allow-Headers"]
        allowed = set(headers["Access-Control-Allow-Methods"].strip("'").split(","))
        assert allowed == {
            m.properties["HttpMethod"] for m in methods(system) if path_of(system, m) == path
        } | {"OPTIONS"}


def answer_of(system: System, type: str) -> dict[str, Any]:
    answers = system.of_type("AWS::ApiGateway::GatewayResponse")
    return next(a.properties for a in answers if a.properties["ResponseType"] == type)


@pytest.mark.parametrize("type", ERROR_TYPES)
def test_the_gateway_s_own_errors_have_the_contract_s_status_and_code(system: System, type: str) -> None:
    answer = answer_of(system, type)
    body = json.loads(answer["ResponseTemplates"]["application/json"])
    assert (answer["StatusCode"], body["error"]["code"]) == ERROR_TYPES[type]


def test_the_gateway_s_headers_are_those_of_the_functions() -> None:
    ours = SECURITY_HEADERS | {"API-Version": requests.API_VERSION}

    assert {name: gateway_answers.HEADERS[name] for name in ours} == ours
    assert ", ".join(api.EXPOSED_HEADERS) == cors.EXPOSED


def test_the_gateway_s_errors_can_be_read_by_the_web_front_end_wherever_it_is_served() -> None:
    (name,) = gateway_answers.origin_of(DEV.web_origins)

    assert name == "Access-Control-Allow-Origin"
    assert gateway_answers.origin_of(DEV.web_origins)[name] == "method.request.header.Origin"
    assert gateway_answers.origin_of(PROD.web_origins)[name] == "'https://www.box-office.example'"


def test_every_answer_of_the_gateway_has_the_contract_s_body_and_headers(system: System) -> None:
    answers = system.of_type("AWS::ApiGateway::GatewayResponse")
    assert {"DEFAULT_4XX", "DEFAULT_5XX"} <= {answer.properties["ResponseType"] for answer in answers}
    for answer in answers:
        error = json.loads(answer.properties["ResponseTemplates"]["application/json"])["error"]
        headers = answer.properties["ResponseParameters"]
        assert set(error) == {"code", "message", "details", "timestamp", "requestId"}
        assert error["requestId"] == "$context.requestId"
        assert headers["gatewayresponse.header.X-Request-Id"] == "context.requestId"
        assert headers["gatewayresponse.header.API-Version"] == "'1'"
        assert headers["gatewayresponse.header.X-Content-Type-Options"] == "'nosniff'"
        assert headers["gatewayresponse.header.Content-Security-Policy"].startswith("'default-src 'none'")
        if answer.properties.get("StatusCode") in ("429", "503"):
            assert "gatewayresponse.header.Retry-After" in headers


def test_a_change_of_an_answer_is_deployed(system: System) -> None:
    (template,) = [system.templates[a.stack] for a in system.of_type("AWS::ApiGateway::Deployment")]
    (deployment,) = [r for r in template["Resources"].values() if r["Type"] == "AWS::ApiGateway::Deployment"]
    answers = {answer.id for answer in system.of_type("AWS::ApiGateway::GatewayResponse")}
    assert answers <= set(deployment["DependsOn"])


def test_the_stage_is_throttled_traced_and_logged(system: System) -> None:
    (stage,) = system.of_type("AWS::ApiGateway::Stage")
    for settings in stage.properties["MethodSettings"]:  # those of a method are in place of the stage's
        assert settings["ThrottlingRateLimit"] > 0
        assert settings["ThrottlingBurstLimit"] > 0
    assert stage.properties["TracingEnabled"] is True
    assert json.loads(stage.properties["AccessLogSetting"]["Format"])["requestId"] == "$context.requestId"


def test_routes_with_a_promise_are_measured_one_by_one_and_no_others(system: System) -> None:
    """Each is five metrics that are paid for."""
    (stage,) = system.of_type("AWS::ApiGateway::Stage")
    measured = {
        (settings["ResourcePath"], settings["HttpMethod"])
        for settings in stage.properties["MethodSettings"]
        if settings.get("MetricsEnabled")
    }
    assert measured == {("/~1api~1tickets~1reserve", "POST"), ("/~1api~1tickets~1purchase", "POST")}
