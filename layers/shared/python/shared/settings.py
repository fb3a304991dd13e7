"""Named settings: a default in code, the value in force in Parameter Store.

CDK declares one parameter per `Setting`, so that an operator changes a limit without a deployment.

Parameter Store answers 40 requests a second of an account (more if an operator has ordered it), and at the beginning
of a big sale hundreds of functions start within one. A function that is told nothing goes by what was deployed.
"""

import json
import os
import time
from typing import Any, Generic, TypeVar, cast

from shared import parameters
from shared.errors import Unavailable

Value = TypeVar("Value", bound=int | float | str)

REFRESH_SECONDS = 60
ASK_AGAIN_SECONDS = 5

AS_DEPLOYED = "SETTINGS_AS_DEPLOYED"
"""The variable that holds what the stage sets otherwise than the code, as JSON; absent if it sets nothing."""


class Setting(Generic[Value]):
    """One named setting.

    Attributes:
        name: its name below `/box-office/<stage>/`; seconds, counts and the like are said in the name.
        default: the value when Parameter Store is not configured (unit tests), and the one CDK deploys.
        help: what it is for, in one line. It stays here: a parameter whose description changes is written anew.
    """

    def __init__(self, name: str, default: Value, help: str) -> None:
        self.name, self.default, self.help = name, default, help
        self._value: Any = None
        self._good_until = 0.0

    @property
    def pattern(self) -> str:
        """What a value of it looks like: CDK has Parameter Store refuse any other. Every number is of something
        countable, so none is negative.
        """
        if isinstance(self.default, bool):
            return "^([Tt]rue|[Ff]alse)$"
        if isinstance(self.default, int):
            return "^[0-9]{1,9}$"
        if isinstance(self.default, float):
            return r"^[0-9]{1,9}(\.[0-9]{1,9})?$"
        return "^.+$"

    def __call__(self) -> Value:
        """The value in force, at most a minute old here (and five in the extension's cache)."""
        if "SETTINGS_PREFIX" not in os.environ:
            return self.default
        if self._value is None or time.monotonic() > self._good_until:
            self._read()
        return cast(Value, self._value)

    def _read(self) -> None:
        """Ask Parameter Store. If it is away, what was in force a minute ago still is, or else what was deployed."""
        try:
            self._value, good_for = self._parse(parameters.parameter(self.name)), REFRESH_SECONDS
        except Unavailable:
            from shared import metrics  # not in a cold start that goes well

            metrics.count(os.environ.get("POWERTOOLS_SERVICE_NAME", "unknown"), "SettingsNotRead")
            if self._value is None:
                self._value = self._deployed()
            good_for = ASK_AGAIN_SECONDS
        self._good_until = time.monotonic() + good_for

    def _deployed(self) -> Value:
        told = json.loads(os.environ.get(AS_DEPLOYED, "{}"))
        return self._parse(told[self.name]) if self.name in told else self.default

    def _parse(self, text: str) -> Value:
        if isinstance(self.default, bool):
            return cast(Value, text.lower() in ("true", "1", "yes", "on"))
        return type(self.default)(text)
