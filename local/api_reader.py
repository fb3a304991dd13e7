"""Reads the REST API of a cloud assembly: methods, authorizer, gateway responses, CORS preflights."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from local.attributes import Resource
from local.intrinsics import Intrinsics
from local.resources import Api, AssemblyError, Authorizer, GatewayResponse, MockResponse, Route

API_TYPES = frozenset(
    {
        "AWS::ApiGateway::Authorizer",
        "AWS::ApiGateway::GatewayResponse",
        "AWS::ApiGateway::Method",
        "AWS::ApiGateway::Resource",
        "AWS::ApiGateway::RestApi",
        "AWS::ApiGateway::Stage",
    }
)
_ORIGIN_TEST = re.compile(r'\$origin == "([^"]+)"|\$origin\.matches\("([^"]+)"\)')

_EXPRESSIONS = ("context.", "method.request.header.")


def read_api(intrinsics: Intrinsics) -> Api | None:
    """The one REST API of the assembly, or None if there is none. Raises AssemblyError on what is not run."""
    apis = intrinsics.of_type("AWS::ApiGateway::RestApi")
    if not apis:
        return None
    if len(apis) > 1:
        raise AssemblyError(f"there are {len(apis)} REST APIs; the gateway serves one")
    properties = intrinsics.properties(apis[0])
    if "Body" in properties or "BodyS3Location" in properties:
        raise AssemblyError(f"{apis[0]} is made from an OpenAPI body, which the gateway does not read")
    stages = intrinsics.of_type("AWS::ApiGateway::Stage")
    responses = [
        _gateway_response(intrinsics.properties(r))
        for r in intrinsics.of_type("AWS::ApiGateway::GatewayResponse")
    ]
    return Api(
        id=intrinsics.attributes.ref(apis[0]),
        name=properties.get("Name", ""),
        stage=intrinsics.attributes.ref(stages[0]) if stages else "test",
        routes=_routes(intrinsics),
        authorizer=_authorizer(intrinsics),
        responses={response.type: response for response in responses},
        binary_media_types=properties.get("BinaryMediaTypes", ()),
    )


def _routes(intrinsics: Intrinsics) -> list[Route]:
    paths = _paths(intrinsics)
    routes = []
    for resource in intrinsics.of_type("AWS::ApiGateway::Method"):
        properties = intrinsics.properties(resource)
        if "RequestValidatorId" in properties or "RequestModels" in properties:
            raise AssemblyError(
                f"{resource} validates requests in the gateway, which the laptop cloud does not"
            )
        routes.append(_route(intrinsics, resource, properties, paths.get(properties["ResourceId"], "/")))
    return routes


def _route(intrinsics: Intrinsics, resource: Resource, properties: Mapping[str, Any], path: str) -> Route:
    integration = properties["Integration"]
    kind = properties.get("AuthorizationType", "NONE")
    if kind not in ("NONE", "CUSTOM"):
        raise AssemblyError(f"{resource} is authorized by {kind}; only a Lambda authorizer is run")
    route = Route(
        method=properties["HttpMethod"],
        path=path,
        authorized=kind == "CUSTOM",
        timeout=integration.get("TimeoutInMillis", 29_000) / 1000,
        resource_id=str(properties["ResourceId"])[-6:],
    )
    if integration["Type"] == "AWS_PROXY":
        arn = integration["Uri"].split("/functions/", 1)[1].removesuffix("/invocations")
        return replace(route, function=intrinsics.called(arn), target=arn)
    if integration["Type"] == "MOCK":
        return replace(route, mock=_mock(resource, integration))
    raise AssemblyError(
        f"{resource} has an integration of type {integration['Type']}, which the gateway does not run"
    )


def _paths(intrinsics: Intrinsics) -> dict[str, str]:
    """The full path of every API resource, by its id."""
    parts = {}
    for resource in intrinsics.of_type("AWS::ApiGateway::Resource"):
        properties = intrinsics.properties(resource)
        parts[intrinsics.attributes.ref(resource)] = (properties["ParentId"], properties["PathPart"])
    paths: dict[str, str] = {}
    for id_ in parts:
        path, at = "", id_
        while at in parts:
            at, part = parts[at]
            path = f"/{part}{path}"
        paths[id_] = path
    return paths


def _mock(resource: Resource, integration: Mapping[str, Any]) -> MockResponse:
    """A CORS preflight: one response with literal headers, and maybe a template that echoes a known origin."""
    responses = integration.get("IntegrationResponses", ())
    if len(responses) != 1:
        raise AssemblyError(f"{resource} is a mock with {len(responses)} responses; one is expected")
    template = "".join(responses[0].get("ResponseTemplates", {}).values())
    origins = None
    if template:
        if "responseOverride.header.Access-Control-Allow-Origin" not in template:
            raise AssemblyError(f"{resource} is a mock with a template other than that of a CORS preflight")
        origins = [first or second for first, second in _ORIGIN_TEST.findall(template)]
    headers = _headers(resource, responses[0].get("ResponseParameters", {}), "method.response.header.")
    return MockResponse(int(responses[0]["StatusCode"]), headers, origins)


def _authorizer(intrinsics: Intrinsics) -> Authorizer | None:
    resources = intrinsics.of_type("AWS::ApiGateway::Authorizer")
    if not resources:
        return None
    properties = intrinsics.properties(resources[0])
    if len(resources) > 1 or properties["Type"] != "REQUEST":
        raise AssemblyError(f"{resources[-1]}: the gateway runs one authorizer, of type REQUEST")
    if properties.get("AuthorizerResultTtlInSeconds", 300) != 0:
        raise AssemblyError(f"{resources[0]} caches its answers, which the gateway does not")
    sources = [source.strip() for source in properties.get("IdentitySource", "").split(",") if source.strip()]
    headers = [
        s.removeprefix("method.request.header.") for s in sources if s.startswith("method.request.header.")
    ]
    query = [s.removeprefix("method.request.querystring.") for s in sources if ".querystring." in s]
    if len(headers) + len(query) != len(sources):
        raise AssemblyError(
            f"{resources[0]} takes its identity from {sources}; only headers and the query are known"
        )
    arn = properties["AuthorizerUri"].split("/functions/", 1)[1].removesuffix("/invocations")
    return Authorizer(intrinsics.called(arn), headers, query, arn, properties.get("AuthorizerCredentials"))


def _gateway_response(properties: Mapping[str, Any]) -> GatewayResponse:
    status = properties.get("StatusCode")
    parameters = properties.get("ResponseParameters", {})
    headers = _headers(properties["ResponseType"], parameters, "gatewayresponse.header.")
    templates = properties.get("ResponseTemplates", {})
    return GatewayResponse(properties["ResponseType"], int(status) if status else None, headers, templates)


def _headers(resource: Resource | str, parameters: Mapping[str, str], prefix: str) -> dict[str, str]:
    """Header name → mapping expression, checked to be of a kind that the gateway evaluates."""
    headers = {}
    for name, value in parameters.items():
        known = (value.startswith("'") and value.endswith("'")) or value.startswith(_EXPRESSIONS)
        if not name.startswith(prefix) or not known:
            raise AssemblyError(f"{resource} sets {name} to {value}, which the gateway does not evaluate")
        headers[name.removeprefix(prefix)] = value
    return headers
