"""The README tells the truth: its journey is run, command by command."""

from tests.e2e import readme
from tests.e2e.laptop import Laptop


def test_the_commands_of_the_readme_print_what_it_says(laptop: Laptop) -> None:
    steps = readme.steps(readme.README.read_text())
    assert len(steps) > 10

    outputs = readme.run([step.command for step in steps], laptop.url)

    for step, output in zip(steps, outputs, strict=True):
        assert readme.masked(output) == readme.masked(step.output), step.command
