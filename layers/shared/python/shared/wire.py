"""The shapes on the wire: camelCase JSON, decimal strings for money, instants in UTC with `Z`."""

import re
import unicodedata
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel

from shared.clock import iso

# Line breaks and other controls, and what turns the direction of the text around it (Unicode Technical Report 36, 2.5).
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_CONTROL_IN_LINES = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
# Of markup, addresses and formulas; "www." and "example.org", but neither "J. R." nor "Dr.Eva".
_NO_NAME = re.compile(r"[<>{}\[\]/\\|$€%§~^=@]|\b[wW]{3}\.|\w{2}\.[a-z]{2}")
# Categories that leave nothing to see: format, unassigned, private use, blanks.
_UNSEEN = ("Cf", "Cn", "Co", "Zs", "Zl", "Zp")
# Letters and signs that leave nothing, either: what else is to be ignored by default (Unicode Standard, section 5.21:
# fillers of Hangul, joiners and variation selectors), and the blanks of Braille and of musical notes.
_FILLERS = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U0001d159\U000e0100-\U000e01ef]"
)
_AMOUNT_SCHEMA = {
    "anyOf": [
        {"type": "string", "pattern": r"^[0-9]{1,8}(\.[0-9]{1,2})?$"},
        {"type": "number", "minimum": 0},
    ],
    "examples": ["49.50"],
}
_SHOWN_AMOUNT_SCHEMA = {"type": "string", "pattern": r"^[0-9]+\.[0-9]{2}$", "examples": ["49.50"]}
_SHOWN_INSTANT_SCHEMA = {"type": "string", "format": "date-time", "examples": ["2030-05-01T18:00:00.000Z"]}
_AMOUNT = re.compile(r"[0-9]+(\.[0-9]+)?")


def _plain_amount(value: Any) -> Any:
    # Python's Decimal would also take 1e2, 1_000 and the digits of other scripts.
    if isinstance(value, str) and _AMOUNT.fullmatch(value.strip()) is None:
        raise ValueError("Must be an amount like 49.50")
    return value


def _unsigned_zero(amount: Decimal) -> Decimal:
    # -0.0 is not less than 0, and would be shown as -0.00.
    return abs(amount)


def _iso_text(value: Any) -> Any:
    # Pydantic would also take a number, or a text of digits, for seconds since 1970.
    if isinstance(value, datetime) or (isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\dT", value)):
        return value
    raise ValueError("Must be an instant like 2027-05-31T18:00:00Z")


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError as beyond:
        raise ValueError("Out of range") from beyond


def one_line(text: str) -> str:
    """A validator for names and titles, which end up in subjects and headers of mails.

    No line breaks, nothing that turns the direction of what stands beside it, and something to see.
    """
    if _CONTROL.search(text):
        raise ValueError("May not contain line breaks or other control characters")
    if text and all(unicodedata.category(character) in _UNSEEN for character in _FILLERS.sub("", text)):
        raise ValueError("Must contain something to see")
    return text


def lines(text: str) -> str:
    """A validator for texts of several lines: no control characters but line breaks and tabs.

    They say nothing, and each takes seven bytes of an answer, of which a page of texts has room for less.
    """
    if _CONTROL_IN_LINES.search(text):
        raise ValueError("May not contain control characters other than line breaks and tabs")
    return text


def person_name(text: str) -> str:
    """A validator for people's names, which we write to addresses that nobody has verified yet: no message, no link.

    The characters are those that pretix refuses in names, and what makes an address of a site, a mail or a formula.
    """
    one_line(text)
    if _NO_NAME.search(text) or text.startswith(("+", "-")):
        raise ValueError("A name holds no addresses, and none of < > { } [ ] / \\ | $ € % § ~ ^ = @")
    return text


# Eight digits before the point: the DECIMAL(10,2) of the tables.
Money = Annotated[
    Decimal,
    Field(ge=0, max_digits=10, decimal_places=2, allow_inf_nan=False),
    BeforeValidator(_plain_amount),
    AfterValidator(_unsigned_zero),
    WithJsonSchema(_AMOUNT_SCHEMA, mode="validation"),
    PlainSerializer(lambda amount: f"{amount:.2f}", return_type=str),
    WithJsonSchema(_SHOWN_AMOUNT_SCHEMA, mode="serialization"),
]
Instant = Annotated[
    AwareDatetime,
    BeforeValidator(_iso_text),
    AfterValidator(_in_utc),
    PlainSerializer(iso, return_type=str),
    WithJsonSchema(_SHOWN_INSTANT_SCHEMA, mode="serialization"),
]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class Answer(BaseModel):
    """Base of everything we send: snake_case in Python, camelCase on the wire."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, frozen=True, hide_input_in_errors=True
    )


class Body(BaseModel):
    """Base of everything we receive: unknown fields are errors, surrounding blanks are not data."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        frozen=True,
        str_strip_whitespace=True,
        hide_input_in_errors=True,  # an error may end up in a log
    )


__all__ = ["Answer", "Body", "Currency", "Instant", "Money", "lines", "one_line", "person_name"]
