"""Step Functions on moto's interpreter: Lambda tasks go to the Lambda host, parsed definitions are kept.

moto parses a definition anew for each execution and builds a boto3 client for each task; together they cost more
than everything else in a purchase. It also lets two starts of one name race, and a task's answer meet an execution
that has no environment yet; both are mended here.
"""

from __future__ import annotations

import json
import pickle
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import urllib3
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.component.state.exec.state_task.credentials import StateCredentials
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.models import StepFunctionsParserBackend

from local.aws_replace import replace
from local.permissions.grants import access_key, role_caller
from local.resources import REGION


def install(lambda_host: str) -> None:
    """Send Lambda tasks to `lambda_host` (host:port). Call once, before the server starts."""
    replace(lambda_eval_utils, _invoke_lambda_function=_Invoker(lambda_host))
    keep_definitions()
    mend_executions()


class _Invoker:
    """Calls the Lambda host; what it refuses becomes the error that the Step Functions integration reports."""

    def __init__(self, lambda_host: str) -> None:
        self._url = f"http://{lambda_host}/2015-03-31/functions"
        self._pool = urllib3.PoolManager(
            maxsize=64, retries=False, timeout=urllib3.Timeout(connect=5, read=None)
        )

    def __call__(
        self, parameters: dict[str, Any], state_credentials: StateCredentials, **_region: object
    ) -> dict[str, Any]:
        name = quote(parameters["FunctionName"], safe="")
        scope = f"{access_key(role_caller(state_credentials.role_arn))}/20260101/{REGION}/lambda/aws4_request"
        response = self._pool.request(
            "POST",
            f"{self._url}/{name}/invocations",
            body=parameters.get("Payload") or b"{}",
            headers={"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}"},
        )
        if response.status >= 300:
            raise _refusal(response)
        answer = {
            "StatusCode": 200,
            "ExecutedVersion": "$LATEST",
            "Payload": json.loads(response.data) if response.data else None,
        }
        if error := response.headers.get("X-Amz-Function-Error"):
            answer["FunctionError"] = error
        return answer


def _refusal(response: urllib3.BaseHTTPResponse) -> lambda_eval_utils.LambdaFunctionErrorException:
    """What a state machine catches: moto forgets the code of a client error when the task names a function's ARN."""
    code = response.headers.get("x-amzn-ErrorType", "ServiceException")
    message = json.loads(response.data).get("Message", "") if response.data.startswith(b"{") else ""
    payload = json.dumps({"errorType": f"Lambda.{code}", "errorMessage": message})
    return lambda_eval_utils.LambdaFunctionErrorException("Unhandled", payload)


def keep_definitions() -> None:
    """Parse each definition once; every execution gets a copy, since evaluating one may change its literals."""
    parse: Callable[[str], tuple[Any, Any]] = AmazonStateLanguageParser.parse
    kept: dict[str, bytes] = {}

    def parse_once(definition: str) -> tuple[Any, None]:
        if definition not in kept:
            kept[definition] = pickle.dumps(parse(definition)[0])
        return pickle.loads(kept[definition]), None

    replace(AmazonStateLanguageParser, parse=staticmethod(parse_once))


def mend_executions() -> None:
    """Make starting an execution atomic, and hide one whose environment is not there yet from task answers."""
    start, find = StepFunctionsParserBackend.start_execution, StepFunctionsParserBackend._get_executions
    lock = threading.Lock()

    def start_execution(self: Any, *args: Any, **options: Any) -> Any:
        with lock:
            return start(self, *args, **options)

    def with_environment(self: Any, status: Any = None) -> list[Any]:
        found = find(self, status)
        return [item for item in found if item.exec_worker is not None and item.exec_worker.env is not None]

    replace(StepFunctionsParserBackend, start_execution=start_execution, _get_executions=with_environment)
