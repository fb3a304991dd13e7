"""What auth accepts: addresses, passwords, names, dates of birth."""

from typing import Any

import pytest
from pydantic import ValidationError

from functions.auth.models import LoginRequest, RegisterRequest

VALID = {
    "email": "ada@example.com",
    "password": "correct horse battery",
    "firstName": "Ada",
    "lastName": "Lovelace",
    "dateOfBirth": "1990-12-10",
}


def wrong_fields(**changes: Any) -> set[str]:
    try:
        RegisterRequest.model_validate(VALID | changes)
    except ValidationError as error:
        return {str(e["loc"][0]) for e in error.errors()}
    return set()


@pytest.mark.parametrize(
    "email",
    [
        "ada@example.com",
        "a@b.co",
        "first.last+tag@sub.example.test",
        "o'neil@example.com",
        f"{'a' * 64}@b.com",
    ],
)
def test_addresses_that_people_have_are_taken(email: str) -> None:
    assert wrong_fields(email=email) == set()


@pytest.mark.parametrize(
    "email",
    [
        "",
        "ada",
        "ada@",
        "@example.com",
        "ada@localhost",
        "ada@-example.com",
        "ada@example..com",
        "a..b@example.com",
        ".ada@example.com",
        "ada lovelace@example.com",
        "ada@example.com, eve@example.com",
        "ada@example.com\nBcc: eve@example.com",
        "<ada@example.com>",
        f"{'a' * 65}@example.com",
        f"ada@{'a' * 64}.com",
        f"ada@{'a.' * 130}com",
        42,
        None,
    ],
)
def test_what_is_no_address_is_refused(email: object) -> None:
    assert wrong_fields(email=email) == {"email"}


def test_an_address_is_compared_in_lower_case() -> None:
    assert LoginRequest(email=" Ada@Example.COM ", password="x").email == "ada@example.com"


@pytest.mark.parametrize("password", ["a" * 10, "a" * 128, " " * 10, "пароль пароль"])
def test_a_password_has_10_to_128_characters_of_any_kind(password: str) -> None:
    assert wrong_fields(password=password) == set()
    assert RegisterRequest.model_validate(VALID | {"password": password}).password == password


@pytest.mark.parametrize("password", ["", "a" * 9, "a" * 129, 1234567890, None])
def test_a_password_too_short_or_too_long_is_refused(password: object) -> None:
    assert wrong_fields(password=password) == {"password"}


@pytest.mark.parametrize("name", ["", "   ", "a" * 101, "Ada\r\nBcc: eve@example.com", "Ada\u2028Eve", 5])
def test_a_name_has_one_line_of_up_to_100_characters(name: object) -> None:
    assert wrong_fields(firstName=name) == {"firstName"}


@pytest.mark.parametrize("name", ["Zoë", "李", "María José", "نام\u200cخانوادگی"])
def test_names_of_the_world_are_taken(name: str) -> None:
    assert wrong_fields(lastName=name) == set()


@pytest.mark.parametrize(
    "born",
    ["soon", "", "2990-01-01", "1800-01-01", "1990-02-30", "1990-1-1", "1990-01-01T00:00:00Z", 0, None],
)
def test_what_is_no_date_of_birth_is_refused(born: object) -> None:
    assert wrong_fields(dateOfBirth=born) == {"dateOfBirth"}
