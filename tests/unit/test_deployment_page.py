"""What the page says of the template is tested by the tests that it names."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_promise_of_the_page_has_tests_and_they_exist() -> None:
    rows = [line.split("|")[1:-1] for line in (ROOT / "docs" / "deployment.md").read_text().splitlines()[5:]]
    promises = [
        row for row in rows if len(row) == 3 and not row[0].strip().startswith(("**", "---", "promise"))
    ]
    files = (ROOT / "tests" / "infrastructure").glob("test_*.py")
    there = set(re.findall(r"^def (test_\w+)", "\n".join(file.read_text() for file in files), re.MULTILINE))

    assert len(promises) > 20
    for promise, _, tests in promises:
        named = re.findall(r"`(test_\w+)`", tests)
        assert named, promise
        assert set(named) <= there, promise
