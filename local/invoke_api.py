"""The Lambda Invoke API, and the extensions for parameters, secrets and AppConfig, over HTTP on the loopback address.

The emulator's Step Functions call the first; functions read their settings and secrets from the second, as in Lambda:
https://docs.aws.amazon.com/systems-manager/latest/userguide/ps-integration-lambda-extensions.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from aiohttp import ClientError, web

from local.attributes import function_name, qualifier
from local.cloud import Cloud, CloudError
from local.permissions.calls import Call
from local.permissions.gate import Denied
from local.permissions.grants import OPERATOR

FLAGS_FILE = "flags.json"

if TYPE_CHECKING:
    from local.lambdas import LambdaHost


class InvokeApi:
    """Serves `host` on `port`; settings and secrets come from the emulator at `aws_url`."""

    def __init__(self, host: LambdaHost, aws_url: str, port: int, token: str) -> None:
        self._host = host
        self._port = port
        self._token = token
        self._cloud = Cloud(aws_url)
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen. Raises OSError if the port is taken."""
        app = web.Application(client_max_size=8 * 1024 * 1024)
        app.router.add_post("/2015-03-31/functions/{name:.+}/invocations", self._invoke)
        app.router.add_get("/systemsmanager/parameters/get", self._parameter)
        app.router.add_get("/systemsmanager/parameters/get/", self._parameter)
        app.router.add_get("/secretsmanager/get", self._secret)
        flags = "/applications/{application}/environments/{environment}/configurations/{profile}"
        app.router.add_get(flags, self._flags)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()
        await self._cloud.close()

    async def _invoke(self, request: web.Request) -> web.Response:
        from local.lambdas import TooManyRequests, UnknownFunction

        reference = unquote(request.match_info["name"])
        name, alias = function_name(reference), request.query.get("Qualifier") or qualifier(reference)
        try:
            self._host.admit(_key(request), name if alias is None else f"{name}:{alias}")
        except Denied as denied:
            return _refused(403, "AccessDeniedException", str(denied))
        payload = await request.read() or b"{}"
        kind = request.headers.get("X-Amz-Invocation-Type", "RequestResponse")
        try:
            if not self._host.has(name, alias):
                raise UnknownFunction(f"Function not found: {name}:{alias or '$LATEST'}")
            if kind == "Event":
                self._host.invoke_later(name, payload)
                return web.Response(status=202)
            answer = await self._host.invoke(name, payload)
        except UnknownFunction as error:
            return _refused(404, "ResourceNotFoundException", str(error))
        except TooManyRequests as error:
            return _refused(429, "TooManyRequestsException", "Rate Exceeded.", Reason=str(error))
        headers = {"X-Amz-Executed-Version": "$LATEST"}
        if answer.error:
            headers["X-Amz-Function-Error"] = answer.error
        return web.Response(body=answer.payload, content_type="application/json", headers=headers)

    async def _flags(self, _request: web.Request) -> web.Response:
        """The document of flags: a file, so that a developer's editor is what an operator's deployment is on AWS."""
        file = self._host.settings.state / FLAGS_FILE
        if not file.exists():
            return web.json_response({"Message": "Configuration not found"}, status=404)
        return web.Response(text=file.read_text(), content_type="application/json")

    async def _parameter(self, request: web.Request) -> web.Response:
        query = {"Name": request.query.get("name", ""), "WithDecryption": True}
        return await self._extension(request, "ssm", "GetParameter", query)

    async def _secret(self, request: web.Request) -> web.Response:
        query = {"SecretId": request.query.get("secretId", "")}
        for field, name in (("versionId", "VersionId"), ("versionStage", "VersionStage")):
            if field in request.query:
                query[name] = request.query[field]
        return await self._extension(request, "secretsmanager", "GetSecretValue", query)

    async def _extension(
        self, request: web.Request, service: str, action: str, query: dict[str, Any]
    ) -> web.Response:
        token, _, key = request.headers.get("X-Aws-Parameters-Secrets-Token", "").partition(".")
        if token != self._token:
            return web.Response(status=401, text="not authorized")
        try:
            return web.json_response(await self._cloud.call(service, action, query, key=key or OPERATOR))
        except CloudError as error:
            return web.json_response({"__type": error.code, "message": str(error)}, status=400)
        except (ClientError, TimeoutError):
            # The emulator is being started again; the function says that its settings are out of reach.
            return web.json_response({"__type": "ServiceUnavailable"}, status=503)


def _key(request: web.Request) -> str:
    """The access key that the request is signed with."""
    headers = {"authorization": request.headers.get("Authorization", "")}
    signed = Call(request.method, request.path, headers, b"").signed
    return signed[0] if signed else ""


def _refused(status: int, code: str, message: str, **extra: str) -> web.Response:
    body = json.dumps({"Type": "User", "message": message, "Message": message, **extra})
    headers = {"x-amzn-ErrorType": code}
    if status == 429:
        headers["Retry-After"] = "1"
    return web.Response(status=status, text=body, content_type="application/json", headers=headers)
