"""One row: a rule of a tool that does not hold for some resources, and why."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Review:
    """A rule that does not hold for resources of a type, and the reason.

    `type` and `where` (the construct's path) are regular expressions for the whole.
    """

    rule: str
    type: str
    reason: str
    where: str = ".*"

    @property
    def rules(self) -> list[str]:
        """checkov's: `CKV_AWS_(18|21)` are two."""
        found = re.fullmatch(r"(.*)\(([^)]*)\)", self.rule)
        return [found[1] + number for number in found[2].split("|")] if found else [self.rule]

    def is_of(self, type: str, place: str) -> bool:
        """Whether the row is about a resource of this type there."""
        return re.fullmatch(self.type, type) is not None and re.fullmatch(self.where, place) is not None
