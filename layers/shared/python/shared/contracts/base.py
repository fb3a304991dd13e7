"""What every message contract is made of."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Part(BaseModel):
    """Base of what messages are made of: camelCase JSON, unknown fields ignored."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,  # an error may end up in a log
    )


class Contract(Part):
    """Base of every message."""

    TYPE: ClassVar[str]
    SENSITIVE: ClassVar[bool] = False
