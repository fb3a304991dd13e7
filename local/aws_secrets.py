"""Lets moto find a secret by the ARN that the template's `Ref` resolves to; moto's own ends at random."""

from __future__ import annotations

from collections.abc import Callable

from moto.secretsmanager import models

from local.attributes import SECRET_SUFFIX
from local.aws_replace import replace


def install() -> None:
    """Accept our ARNs. Call once, before the server starts."""
    by_partial_arn: Callable[[str], str] = vars(models)["get_secret_name_from_partial_arn"]

    def name_from_arn(arn: str) -> str:
        return by_partial_arn(arn).removesuffix(SECRET_SUFFIX)

    replace(models, get_secret_name_from_partial_arn=name_from_arn)
