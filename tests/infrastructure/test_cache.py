"""The cache: Valkey in cluster mode across zones, for one user without a password."""

import json

import pytest

from tests.infrastructure.template import Resource, System


@pytest.fixture(params=["system", "production"])
def stage(request: pytest.FixtureRequest) -> System:
    """The cheapest stage, and the real one."""
    found: System = request.getfixturevalue(request.param)
    return found


def cache_of(system: System) -> Resource:
    (found,) = system.of_type("AWS::ElastiCache::ServerlessCache")
    return found


def test_the_cache_lies_in_two_zones_and_grows_with_the_load_up_to_a_ceiling(stage: System) -> None:
    """Serverless is always in cluster mode, and always has replicas in another zone of its subnets."""
    cache = cache_of(stage)
    subnets = [stage.target(cache.stack, subnet) for subnet in cache.properties["SubnetIds"]]
    assert cache.properties["Engine"] == "valkey"
    assert len({json.dumps(subnet.properties["AvailabilityZone"]) for subnet in subnets}) == 2
    assert all(subnet.properties["MapPublicIpOnLaunch"] is False for subnet in subnets)
    limits = cache.properties["CacheUsageLimits"]
    assert (limits["DataStorage"]["Maximum"], limits["ECPUPerSecond"]["Maximum"]) == (5, 30_000)


def test_the_cache_lets_in_one_user_who_signs_in_by_iam_and_administers_nothing(stage: System) -> None:
    cache = cache_of(stage)
    (user,) = stage.of_type("AWS::ElastiCache::User")
    (group,) = stage.of_type("AWS::ElastiCache::UserGroup")
    assert stage.target(cache.stack, cache.properties["UserGroupId"]).id == group.id
    assert group.properties["UserIds"] == [{"Ref": user.id}]
    assert user.properties["AuthenticationMode"] == {"Type": "iam"}
    assert "NoPasswordRequired" not in user.properties
    assert {"-@admin", "-@dangerous"} <= set(user.properties["AccessString"].split())


def test_a_cache_that_is_lost_is_filled_from_yesterday_in_production_and_anew_in_dev(
    system: System, production: System
) -> None:
    assert cache_of(production).properties["SnapshotRetentionLimit"] == 1
    assert "SnapshotRetentionLimit" not in cache_of(system).properties
