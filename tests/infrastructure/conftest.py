"""The system as the pinned command line synthesizes it: each stage once, until an input of it changes."""

import pytest

from tests.infrastructure.synthesis import LESSER, synthesized
from tests.infrastructure.template import System


@pytest.fixture(scope="session")
def system() -> System:
    """The dev stage."""
    return synthesized("dev")


@pytest.fixture(scope="session")
def staging() -> System:
    """The staging stage."""
    return synthesized("staging")


@pytest.fixture(scope="session")
def production() -> System:
    """The prod stage."""
    return synthesized("prod")


@pytest.fixture(scope="session")
def lesser() -> System:
    """The dev stage of a release that takes a route, a queue and a job away."""
    return synthesized("dev", LESSER)


@pytest.fixture(scope="session")
def repair() -> System:
    """The prod stage, deployed past CodeDeploy."""
    return synthesized("prod", rollout="at-once")
