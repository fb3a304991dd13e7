"""Which ticket types a refund was for.

A refund that names tickets is shared among their types in proportion to their prices. One that is an amount and no
more belongs to no type, unless all of the order's money went back: then each type gave back what it had brought.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from uuid import UUID

ZERO, CENT = Decimal("0.00"), Decimal("0.01")
Shares = dict[UUID, Decimal]


@dataclass(frozen=True)
class Named:
    """A refund, and the types of the tickets that it names: a type as often as it has tickets among them."""

    amount: Decimal
    type_ids: list[UUID]


def shares(
    revenue: Mapping[UUID, Decimal], prices: Mapping[UUID, Decimal], refunds: list[Named]
) -> list[Shares]:
    """What each refund of an order gave back by type, in the order of `refunds`.

    Args:
        revenue: what the order brought by type.
        prices: of one ticket, by type.
    """
    left = dict(revenue)
    found: list[Shares] = [{} for _ in refunds]
    for index, refund in enumerate(refunds):
        weights = dict.fromkeys(refund.type_ids, ZERO)
        for type_id in refund.type_ids:
            weights[type_id] += prices[type_id]
        found[index] = _taken(left, refund.amount, weights)
    if sum(refund.amount for refund in refunds) < sum(revenue.values()):
        return found
    for refund, share in zip(refunds, found, strict=True):
        rest = refund.amount - sum(share.values(), ZERO)
        for type_id, amount in _taken(left, rest, left).items():
            share[type_id] = share.get(type_id, ZERO) + amount
    return found


def _taken(left: Shares, amount: Decimal, weights: Mapping[UUID, Decimal]) -> Shares:
    """So much of the amount as fits the weights, shared by them and taken from what is left; no cent is lost."""
    room = {id_: min(weight, left[id_]) for id_, weight in weights.items() if min(weight, left[id_]) > ZERO}
    whole = sum(room.values(), ZERO)
    part = min(amount, whole)
    share = {id_: (part * size / whole).quantize(CENT, ROUND_DOWN) for id_, size in room.items()}
    for id_, size in room.items():
        share[id_] += min(part - sum(share.values(), ZERO), size - share[id_])
        left[id_] -= share[id_]
    return share
