"""Parameter Store and Secrets Manager, read through AWS's Parameters and Secrets Lambda extension.

The extension answers on the loopback and caches (its default is 300 s), so a hot function needs neither boto3 nor a
network call. https://docs.aws.amazon.com/systems-manager/latest/userguide/ps-integration-lambda-extensions.html
"""

import http.client
import json
import os
from typing import Any, cast
from urllib.parse import quote

from shared.errors import Unavailable

TIMEOUT_SECONDS = 3


def parameter(name: str) -> str:
    """The value of the parameter `<SETTINGS_PREFIX>/<name>`.

    Raises:
        Unavailable: the extension did not answer, or there is no such parameter.
    """
    path = f"{os.environ['SETTINGS_PREFIX']}/{name}"
    answer = _get(f"/systemsmanager/parameters/get?name={quote(path, safe='')}")
    return cast(str, answer["Parameter"]["Value"])


def secret(arn: str) -> dict[str, Any]:
    """The JSON object held by the secret with this ARN.

    Raises:
        Unavailable: the extension did not answer, or the secret is not readable.
    """
    answer = _get(f"/secretsmanager/get?secretId={quote(arn, safe='')}")
    return cast(dict[str, Any], json.loads(answer["SecretString"]))


def _get(path: str) -> dict[str, Any]:
    port = int(os.environ.get("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", "2773"))
    connection = http.client.HTTPConnection("localhost", port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request(
            "GET", path, headers={"X-Aws-Parameters-Secrets-Token": os.environ.get("AWS_SESSION_TOKEN", "")}
        )
        response = connection.getresponse()
        body = response.read()
    except OSError as broken:
        raise Unavailable("parameters") from broken
    finally:
        connection.close()
    if response.status != 200:
        raise Unavailable("parameters")
    return cast(dict[str, Any], json.loads(body))
