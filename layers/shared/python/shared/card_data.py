"""Card numbers never enter: what looks like one is refused before it is stored, passed on or logged.

Buyers pay with a token that the payment provider gave their browser (PCI DSS, requirement 3: do not store what you do
not need).

A number looks like a card's if it has 13 to 19 digits, maybe in groups, begins as the card networks' do
(ISO/IEC 7812; ranges as published by the networks) and passes the Luhn check. The ranges keep epoch times, years in a
row and phone numbers out of it; an identifier of ours (UUID) is no candidate, nor are digits within a longer word, as
in tokens and hashes.
"""

import re
import unicodedata

_SHORTEST, _LONGEST = 13, 19
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
# Blanks, dashes and the like may stand between two digits, some of them invisible; "+" begins a phone number.
_BETWEEN = r"[\s.,/_|*\u00ad\u00b7\u200b-\u200f\u2010-\u2015\u2060\u2212\ufeff-]{0,3}"
_RUN = re.compile(rf"(?<![0-9A-Za-z+])\d(?:{_BETWEEN}\d){{12,}}(?![0-9A-Za-z])")
_GROUP = re.compile(r"\d+")
_NETWORKS = re.compile(
    r"4|5\d|6|2(?:20[0-4]|22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)|3(?:0[0-5]|095|[4-9])|8[12]|9792"
)


def looks_like_card_number(value: str | int | float) -> bool:
    """Whether a text holds, or a number is, what may be a payment card's number."""
    if isinstance(value, str):
        if len(value) < _SHORTEST:
            return False
        text = _UUID.sub("", _plain_digits(value))
        return any(_holds_card_number(run.group()) for run in _RUN.finditer(text))
    return abs(value) < 10**_LONGEST and value == int(value) and _is_card_number(str(abs(int(value))))


def _plain_digits(text: str) -> str:
    """The text with the digits of every script as 0 to 9: a card number in full-width digits is one, too."""
    if text.isascii():
        return text
    return "".join(str(unicodedata.decimal(c, c)) for c in text)


def _holds_card_number(run: str) -> bool:
    """Whether neighbouring groups of a run of digits make a card number; all but the last have four digits or more."""
    groups: list[str] = _GROUP.findall(run)
    for start in range(len(groups)):
        digits = ""
        for group in groups[start:]:
            digits += group
            if _is_card_number(digits):
                return True
            if len(group) < 4 or len(digits) > _LONGEST:
                break
    return False


def _is_card_number(digits: str) -> bool:
    return (
        _SHORTEST <= len(digits) <= _LONGEST and _NETWORKS.match(digits) is not None and _passes_luhn(digits)
    )


def _passes_luhn(digits: str) -> bool:
    """https://www.itu.int/rec/T-REC-E.118, annex B: every second digit from the right counts double."""
    doubled = sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (doubled + sum(int(digit) for digit in digits[-1::-2])) % 10 == 0
