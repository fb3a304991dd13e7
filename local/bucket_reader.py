"""Reads the buckets of a cloud assembly, whom they tell of uploads, and the distribution that shows one of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from local.attributes import Resource
from local.intrinsics import S3_HOST, Intrinsics
from local.permissions.grants import distribution_arn
from local.resources import AssemblyError, Bucket, Distribution


def read_buckets(intrinsics: Intrinsics) -> Iterable[Bucket]:
    """Every bucket. Raises AssemblyError on a notification that is not run."""
    for resource in intrinsics.of_type("AWS::S3::Bucket"):
        properties = intrinsics.properties(resource)
        told = properties.get("NotificationConfiguration", {})
        if set(told) - {"QueueConfigurations"}:
            raise AssemblyError(f"{resource} notifies {sorted(told)}; only queues are run")
        rules = properties.get("CorsConfiguration", {}).get("CorsRules", ())
        yield Bucket(
            intrinsics.attributes.name(resource),
            told=[_told(queue) for queue in told.get("QueueConfigurations", ())],
            cors=[_cors(rule) for rule in rules],
        )


def read_distribution(intrinsics: Intrinsics) -> Distribution | None:
    """The one distribution that shows a bucket, or None if there is none. Raises AssemblyError on what is not run."""
    found = [resource for resource, origin in intrinsics.distributions() if origin.endswith(S3_HOST)]
    if not found:
        return None
    if len(found) > 1:
        raise AssemblyError(f"{len(found)} distributions show buckets; the gateway stands in for one")
    config = intrinsics.properties(found[0])["DistributionConfig"]
    if "CacheBehaviors" in config or len(config["Origins"]) > 1:
        raise AssemblyError(f"{found[0]} has several origins; the gateway knows one")
    origin = config["Origins"][0]
    return Distribution(
        bucket=origin["DomainName"].removesuffix(S3_HOST),
        folder=origin.get("OriginPath", "").strip("/"),
        missing=_missing(found[0], config.get("CustomErrorResponses", ())),
        arn=distribution_arn(intrinsics.attributes.ref(found[0])),
    )


def _missing(resource: Resource, answers: Iterable[Mapping[str, Any]]) -> str | None:
    pages = {answer.get("ResponsePagePath") for answer in answers}
    if len(pages) > 1:
        raise AssemblyError(f"{resource} has several pages for errors; the gateway shows one")
    page = pages.pop() if pages else None
    return None if page is None else str(page).lstrip("/")


def _told(queue: Mapping[str, Any]) -> dict[str, Any]:
    """CloudFormation's words for it, in those of S3's API."""
    told: dict[str, Any] = {"QueueArn": queue["Queue"], "Events": [queue["Event"]]}
    rules = queue.get("Filter", {}).get("S3Key", {}).get("Rules", ())
    if rules:
        named = [{"Name": rule["Name"], "Value": rule["Value"]} for rule in rules]
        told["Filter"] = {"Key": {"FilterRules": named}}
    return told


def _cors(rule: Mapping[str, Any]) -> dict[str, Any]:
    names = {
        "AllowedOrigins": "AllowedOrigins",
        "AllowedMethods": "AllowedMethods",
        "AllowedHeaders": "AllowedHeaders",
        "ExposedHeaders": "ExposeHeaders",
        "MaxAge": "MaxAgeSeconds",
    }
    return {names[name]: value for name, value in rule.items() if name in names}
