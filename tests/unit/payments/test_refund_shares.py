"""Which ticket types a refund was for."""

from decimal import Decimal
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from functions.payments.refund_shares import Named, shares

STALLS, GALLERY, FREE = UUID(int=1), UUID(int=2), UUID(int=3)
PRICES = {STALLS: Decimal("49.50"), GALLERY: Decimal("20.00"), FREE: Decimal("0.00")}
REVENUE = {STALLS: Decimal("99.00"), GALLERY: Decimal("20.00"), FREE: Decimal("0.00")}


def shared(*refunds: tuple[str, list[UUID]]) -> list[dict[UUID, str]]:
    named = [Named(Decimal(amount), type_ids) for amount, type_ids in refunds]
    return [{id_: str(part) for id_, part in share.items()} for share in shares(REVENUE, PRICES, named)]


def test_tickets_that_are_named_say_whose_types_the_money_was() -> None:
    assert shared(("49.50", [STALLS])) == [{STALLS: "49.50"}]
    assert shared(("69.50", [STALLS, GALLERY, FREE])) == [{STALLS: "49.50", GALLERY: "20.00"}]


def test_an_amount_is_of_no_type() -> None:
    assert shared(("10.00", [])) == [{}]
    assert shared(("49.50", [STALLS]), ("10.00", [])) == [{STALLS: "49.50"}, {}]


def test_less_than_the_tickets_cost_is_shared_by_their_prices() -> None:
    assert shared(("6.95", [STALLS, GALLERY])) == [{STALLS: "4.95", GALLERY: "2.00"}]
    assert shared(("0.01", [STALLS, GALLERY])) == [{STALLS: "0.01", GALLERY: "0.00"}]


def test_once_all_the_money_went_back_each_type_gave_back_what_it_had_brought() -> None:
    assert shared(("119.00", [])) == [{STALLS: "99.00", GALLERY: "20.00"}]
    assert shared(("19.00", []), ("100.00", [STALLS, STALLS, GALLERY])) == [
        {STALLS: "15.80", GALLERY: "3.20"},
        {STALLS: "83.20", GALLERY: "16.80"},
    ]


@given(
    st.lists(
        st.tuples(
            st.decimals("0.01", "40.00", places=2), st.lists(st.sampled_from([STALLS, GALLERY]), max_size=3)
        ),
        min_size=1,
        max_size=4,
    )
)
def test_no_type_gives_back_more_than_it_brought_and_no_cent_is_lost(
    refunds: list[tuple[Decimal, list[UUID]]],
) -> None:
    named: list[Named] = []
    for amount, type_ids in refunds:  # together no more than the order brought
        room = sum(REVENUE.values(), -sum((refund.amount for refund in named), Decimal(0)))
        if room > 0:
            named.append(Named(min(amount, room), type_ids))

    found = shares(REVENUE, PRICES, named)

    for type_id, brought in REVENUE.items():
        assert sum(share.get(type_id, Decimal(0)) for share in found) <= brought
    for refund, share in zip(named, found, strict=True):
        assert Decimal(0) <= sum(share.values()) <= refund.amount
    if sum(refund.amount for refund in named) == sum(REVENUE.values()):
        assert sum(sum(share.values()) for share in found) == sum(REVENUE.values())
