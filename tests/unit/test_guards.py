"""The list of guards that `make mutants` takes away fits the code: a guard that was moved is not passed over."""

import pytest

from tools.mutants import ROOT, Guard, guards


@pytest.mark.parametrize("guard", guards(), ids=lambda guard: guard.name)
def test_a_guard_stands_where_the_list_says(guard: Guard) -> None:
    without = guard.taken_from((ROOT / guard.file).read_text())
    assert without.count(guard.text) == 0 or guard.text in guard.without
    assert guard.tests
    assert [path for path in guard.tests if not (ROOT / path).exists()] == []


def test_names_are_unique() -> None:
    names = [guard.name for guard in guards()]
    assert len(set(names)) == len(names)


def test_a_guard_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ValueError, match="0 times"):
        Guard("lock", "a.py", "FOR UPDATE", ("tests",)).taken_from("SELECT 1")
