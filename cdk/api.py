"""The REST API: every route of every service, one authorizer, and the gateway's own answers in our shape."""

import json
from collections.abc import Sequence
from typing import Any

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from cdk import gateway_answers
from cdk.gateway_answers import ANSWERS
from cdk.handler import Handler
from cdk.operations.objective import CRITICAL
from cdk.service import Route, Service
from cdk.stages import Stage

WITHOUT_TOKEN = ("public", "signature")
REQUEST_HEADERS = [
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "API-Version",
    "X-Request-Id",
]
EXPOSED_HEADERS = ["API-Version", "Idempotency-Replayed", "Retry-After", "X-Request-Id"]


class Api(Stack):
    """The API of a stage. Its own address is for CloudFront alone (`cdk.edge`)."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        stage: Stage,
        services: Sequence[Service],
        authorizer: Handler,
        log_key: kms.IKey,
        **options: Any,
    ) -> None:
        super().__init__(scope, id, **options)
        self._stage, self._log_key = stage, log_key
        self._exposed = {"Access-Control-Expose-Headers": ",".join(EXPOSED_HEADERS)}
        self.rest = self._rest_api()
        self._authorizer = self._bearer(authorizer)
        self._methods: dict[str, list[str]] = {}
        for service in services:
            for route in service.routes:
                self._mount(route, service.handler(route))
        for path, methods in self._methods.items():
            self._answer_preflight(path, methods)
        for type, (status, code, message) in ANSWERS.items():
            self._answer(type, status, code, message)

    def _rest_api(self) -> apigateway.RestApi:
        access_log = logs.LogGroup(
            self,
            "AccessLog",
            log_group_name=f"/aws/api/{self._stage.prefix}",
            encryption_key=self._log_key,
            retention=self._stage.logs,
            removal_policy=RemovalPolicy.DESTROY,
        )
        return apigateway.RestApi(
            self,
            "Api",
            rest_api_name=self._stage.prefix,
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            cloud_watch_role=True,
            # For the QR picture. With `image/png` alone it would leave as base64 text unless the caller's Accept begins
            # with that; with this, requests' bodies arrive in base64, and keep the exact bytes that were signed.
            binary_media_types=["*/*"],
            deploy_options=apigateway.StageOptions(
                stage_name=self._stage.name,
                throttling_rate_limit=self._stage.requests_per_second,
                throttling_burst_limit=self._stage.burst,
                tracing_enabled=True,
                # Five metrics a method at $0.30 each are too much for all of them: those with a promise have them.
                # Without, there are still those of the whole API, which are free.
                method_options={
                    f"{path}/POST": apigateway.MethodDeploymentOptions(
                        metrics_enabled=True,
                        throttling_rate_limit=self._stage.requests_per_second,
                        throttling_burst_limit=self._stage.burst,
                    )
                    for path in CRITICAL.values()
                },
                access_log_destination=apigateway.LogGroupLogDestination(access_log),
                access_log_format=apigateway.AccessLogFormat.custom(json.dumps(_ACCESS_LOG)),
            ),
        )

    def _bearer(self, handler: Handler) -> apigateway.IAuthorizer:
        """The authorizer asks on every call, so that a logout counts at once."""
        return apigateway.RequestAuthorizer(
            self,
            "Bearer",
            handler=handler.called_by(self),
            identity_sources=[apigateway.IdentitySource.header("Authorization")],
            results_cache_ttl=Duration.seconds(0),
            # With a role what it may call is said there; a permission of the function's would have to be in its stack.
            assume_role=iam.Role(
                self, "AuthorizerRole", assumed_by=iam.ServicePrincipal("apigateway.amazonaws.com")
            ),
        )

    def _mount(self, route: Route, handler: Handler) -> None:
        public = route.caller in WITHOUT_TOKEN
        arn = handler.called_by(self).function_arn
        method = self.rest.root.resource_for_path(route.path).add_method(
            route.method,
            apigateway.AwsIntegration(
                service="lambda", proxy=True, path=f"2015-03-31/functions/{arn}/invocations"
            ),
            operation_name=route.name,
            authorizer=None if public else self._authorizer,
            authorization_type=apigateway.AuthorizationType.NONE
            if public
            else apigateway.AuthorizationType.CUSTOM,
        )
        lambda_.CfnPermission(  # the CDK's own integration makes none for a function that it knows by name
            method,
            "Call",
            action="lambda:InvokeFunction",
            function_name=arn,
            principal="apigateway.amazonaws.com",
            source_arn=method.method_arn,
        )
        resource = method.node.default_child
        assert isinstance(resource, apigateway.CfnMethod)
        resource.add_metadata("caller", route.caller)
        self._methods.setdefault(route.path, []).append(route.method)

    def _answer_preflight(self, path: str, methods: list[str]) -> None:
        """A browser asks whether the web front end may call: the gateway answers, no function runs.

        The origin that asks is named if it is one of ours.
        """
        allowed = {
            "Access-Control-Allow-Headers": ",".join(REQUEST_HEADERS),
            "Access-Control-Allow-Methods": ",".join([*methods, "OPTIONS"]),
            "Access-Control-Max-Age": "600",
        }
        headers = gateway_answers.headers_of(204) | gateway_answers.quoted(self._exposed | allowed)
        parameters = {f"method.response.header.{name}": value for name, value in headers.items()}
        template = gateway_answers.allow_origin(self._stage.web_origins)
        self.rest.root.resource_for_path(path).add_method(
            "OPTIONS",
            apigateway.MockIntegration(
                content_handling=apigateway.ContentHandling.CONVERT_TO_TEXT,  # templates cannot read binary bodies
                request_templates={"application/json": '{"statusCode": 204}'},
                integration_responses=[
                    apigateway.IntegrationResponse(
                        status_code="204",
                        response_parameters=parameters,
                        response_templates={"application/json": template},
                        content_handling=apigateway.ContentHandling.CONVERT_TO_TEXT,
                    )
                ],
            ),
            authorization_type=apigateway.AuthorizationType.NONE,
            method_responses=[
                apigateway.MethodResponse(
                    status_code="204", response_parameters=dict.fromkeys(parameters, True)
                )
            ],
        )

    def _answer(self, type: str, status: int | None, code: str, message: str) -> None:
        self.rest.add_gateway_response(
            "".join(word.title() for word in type.split("_")) + "Answer",
            type=apigateway.ResponseType.of(type),
            status_code=None if status is None else str(status),
            response_headers=gateway_answers.headers_of(status)
            | gateway_answers.quoted(self._exposed)
            | gateway_answers.origin_of(self._stage.web_origins),
            templates={"application/json": gateway_answers.body_of(code, message)},
        )


# No address and no user agent of the caller: they are personal, and what went wrong can be found without them.
_ACCESS_LOG = {
    "requestId": "$context.requestId",
    "time": "$context.requestTime",
    "method": "$context.httpMethod",
    "route": "$context.resourcePath",
    "status": "$context.status",
    "milliseconds": "$context.responseLatency",
    "bytes": "$context.responseLength",
    "error": "$context.error.responseType",
    "authorizer": "$context.authorizer.error",
    "trace": "$context.xrayTraceId",
}
