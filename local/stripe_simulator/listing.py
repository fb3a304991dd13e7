"""Lists and expansion: the parts of Stripe's API that are the same for every object.

https://docs.stripe.com/api/pagination and https://docs.stripe.com/api/expanding_objects
"""

import json

from local.stripe_simulator import errors
from local.stripe_simulator.calls import Call
from local.stripe_simulator.forms import Parameters
from local.stripe_simulator.ids import Json

PAGING = frozenset({"limit", "starting_after", "ending_before", "created", "expand"})
_COMPARISONS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}

# Fields that hold an id and what the id is of.
_EXPANDABLE = {
    "latest_charge": "charge",
    "charge": "charge",
    "payment_intent": "payment_intent",
    "payment_method": "payment_method",
}


def page(call: Call, kind: str, url: str, parameters: Parameters, **equal: str | None) -> Json:
    """One page of the objects of a kind, newest first.

    Args:
        equal: columns of `objects` that must have a value (None: not asked for).

    Raises:
        Refusal: a limit outside 1–100, an unknown cursor.
    """
    limit = parameters.integer("limit")
    limit = 10 if limit is None else limit
    if not 1 <= limit <= 100:
        raise errors.parameter_invalid(
            "limit", "This value must be between 1 and 100.", "parameter_invalid_integer"
        )
    where, values = ["object = :kind"], {"kind": kind} | {k: v for k, v in equal.items() if v is not None}
    where += [f"{column} = :{column}" for column, value in equal.items() if value is not None]
    where += _bounds(parameters)
    after, before = (
        _position(call, parameters, "starting_after"),
        _position(call, parameters, "ending_before"),
    )
    if after is not None:
        where.append(f"sequence < {after}")
    if before is not None:
        where.append(f"sequence > {before}")
    order = "ASC" if before is not None else "DESC"
    rows = call.store.rows(
        f"SELECT body FROM objects WHERE {' AND '.join(where)} ORDER BY sequence {order} LIMIT {limit + 1}",
        **values,
    )
    data = [json.loads(row["body"]) for row in rows[:limit]]
    if before is not None:
        data.reverse()
    return {"object": "list", "url": url, "has_more": len(rows) > limit, "data": data}


def _bounds(parameters: Parameters) -> list[str]:
    """Conditions of `created[gte]=…` and its like."""
    created = parameters.nested("created", _COMPARISONS.keys())
    if created is None:
        return []
    bounds = [(sign, created.integer(name)) for name, sign in _COMPARISONS.items()]
    return [f"created {sign} {instant}" for sign, instant in bounds if instant is not None]


def _position(call: Call, parameters: Parameters, name: str) -> int | None:
    identifier = parameters.text(name)
    if identifier is None:
        return None
    row = call.store.row("SELECT sequence FROM objects WHERE id = :id", id=identifier)
    if row is None:
        raise errors.resource_missing("object", identifier, name, status=400)
    return int(row["sequence"])


def expand(call: Call, answer: Json, paths: list[str]) -> Json:
    """Replace ids by the objects they name, along paths like `latest_charge` or `data.payment_intent`.

    Raises:
        Refusal: 400 for a property that cannot be expanded.
    """
    for path in paths:
        _expand_path(call, answer, path.split("."), path)
    return answer


def _expand_path(call: Call, node: Json, steps: list[str], path: str) -> None:
    name, rest = steps[0], steps[1:]
    if name == "data" and node.get("object") == "list":
        for item in node["data"]:
            _expand_path(call, item, rest, path)
        return
    if name not in _EXPANDABLE or name not in node:
        raise errors.invalid_request(
            f"This property cannot be expanded ({path}).", param="expand", executed=False
        )
    if isinstance(node[name], str):
        node[name] = call.store.get(_EXPANDABLE[name], node[name]) or node[name]
    if rest and isinstance(node[name], dict):
        _expand_path(call, node[name], rest, path)
