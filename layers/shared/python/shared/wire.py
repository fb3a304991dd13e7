"""The shapes on the wire: camelCase JSON, decimal strings for money, instants in UTC with `Z`."""

from decimal import Decimal
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer
from pydantic.alias_generators import to_camel

from shared.clock import iso

# Eight digits before the point: the DECIMAL(10,2) of the tables.
Money = Annotated[
    Decimal,
    Field(ge=0, max_digits=10, decimal_places=2, allow_inf_nan=False),
    PlainSerializer(lambda amount: f"{amount:.2f}", return_type=str),
]
Instant = Annotated[AwareDatetime, PlainSerializer(iso, return_type=str)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class Answer(BaseModel):
    """Base of everything we send: snake_case in Python, camelCase on the wire."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)


class Body(BaseModel):
    """Base of everything we receive: unknown fields are errors, surrounding blanks are not data."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        frozen=True,
        str_strip_whitespace=True,
    )


__all__ = ["Answer", "Body", "Currency", "Instant", "Money"]
