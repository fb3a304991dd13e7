"""Card numbers are refused wherever they stand in a body; what only resembles one is not."""

import json
import random
from uuid import UUID, uuid4

import pytest

from shared.card_data import looks_like_card_number
from shared.errors import BadInput
from shared.requests import parse_json

# Numbers that the card networks and Stripe publish for tests.
CARDS = [
    "4242424242424242",
    "4111111111111111",
    "4222222222222",  # 13 digits
    "5555555555554444",
    "2223003122003222",
    "378282246310005",
    "6011111111111117",
    "3056930009020004",
    "36227206271667",
    "3566002020360505",
    "6205500000000000004",  # 19 digits
]


@pytest.mark.parametrize("number", CARDS)
def test_every_networks_numbers_are_known(number: str) -> None:
    assert looks_like_card_number(number)
    assert looks_like_card_number(int(number))
    assert looks_like_card_number(f"my card is {number}, thanks")


@pytest.mark.parametrize(
    "text",
    [
        "4242 4242 4242 4242",
        "4242-4242-4242-4242",
        "3782 822463 10005",
        "card:4242.4242.4242.4242",
        "pm_4242424242424242",
        "order 2026 4242 4242 4242 4242 exp 12/30",
        "4242/4242/4242/4242",
        "4242_4242_4242_4242",
        "4242, 4242, 4242, 4242",
        "4242\u200b4242\u200b4242\u200b4242",
        "４２４２４２４２４２４２４２４２",
        "٤٢٤٢ ٤٢٤٢ ٤٢٤٢ ٤٢٤٢",
        '{"number":"4242424242424242"}',
    ],
)
def test_a_number_is_found_within_a_text_and_in_groups(text: str) -> None:
    assert looks_like_card_number(text)


@pytest.mark.parametrize(
    "value",
    [
        "4242424242424241",  # fails the check digit
        "424242424242",
        "42424242424242424242",
        "+49 1512 3456789",
        "+4915123456789012",
        "2026-11-22T19:30:00.123456Z",
        "2024 2025 2026 2027 2028",
        "1763826543210",
        "BO1.k1.4242424242424242abcdef",
        "deadbeef4242424242424242",
        "ACDC-4242",
        49.5,
        1e300,
        float("inf"),
        10**400,
        -(10**400),
        "1,234,567,890,123",
        "01/02/2026, 03/04/2026, 05/06/2026",
        True,
        0,
    ],
)
def test_what_only_resembles_a_card_number_passes(value: str | float) -> None:
    assert not looks_like_card_number(value)


def test_no_id_of_ours_is_ever_taken_for_a_card_number() -> None:
    digits = random.Random(7)
    for _ in range(5_000):
        text = "".join(digits.choice("0123456789") for _ in range(32))
        assert not looks_like_card_number(str(UUID(text)))
    for _ in range(5_000):
        assert not looks_like_card_number(uuid4().hex)


def test_a_body_with_a_card_number_is_refused_naming_the_field_and_not_the_number() -> None:
    body = {"orderId": str(uuid4()), "paymentMethod": {"type": "stripe", "token": "4242424242424242"}}
    with pytest.raises(BadInput) as refused:
        parse_json(json.dumps(body))
    assert [detail.field for detail in refused.value.details] == ["paymentMethod.token"]
    assert "4242" not in str(vars(refused.value))


@pytest.mark.parametrize(
    "body", ['{"a":[1,{"b":4242424242424242}]}', '{"4242424242424242":1}', '"4242424242424242"']
)
def test_numbers_lists_and_names_of_fields_are_searched_too(body: str) -> None:
    with pytest.raises(BadInput):
        parse_json(body)
