"""What the laptop cloud leaves out."""

from local.not_run import NOT_RUN
from tests.infrastructure.template import System


def test_the_laptop_leaves_out_nothing_but_what_is_there(system: System, production: System) -> None:
    """A type that is listed in advance would be dropped in silence on the day that it is added."""
    declared = {resource.type for stage in (system, production) for resource in stage.resources}

    assert set(NOT_RUN) <= declared
