"""What a stage costs is counted from its templates, and the page says so."""

import re

import pytest

from tests.infrastructure.template import ROOT, System
from tools import costs, prices


@pytest.fixture
def stages(system: System, production: System) -> dict[str, costs.Templates]:
    return {"dev": costs.Templates(system.folder), "prod": costs.Templates(production.folder)}


def test_everything_has_a_price_or_a_reason_to_have_none(stages: dict[str, costs.Templates]) -> None:
    for templates in stages.values():
        assert costs.at_rest(templates)
    assert not set(prices.FREE) & set(costs.PRICED)


def test_what_has_no_price_is_an_error(
    stages: dict[str, costs.Templates], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(costs.PRICED, "AWS::EC2::NatGateway")
    with pytest.raises(costs.Unpriced, match="NatGateway"):
        costs.at_rest(stages["dev"])


def test_a_machine_of_an_unknown_class_is_an_error(
    stages: dict[str, costs.Templates], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(prices.INSTANCE_HOUR, "db.t4g.micro")
    with pytest.raises(costs.Unpriced, match="micro"):
        costs.at_rest(stages["dev"])


def test_dev_stays_cheap(stages: dict[str, costs.Templates]) -> None:
    assert costs.total(costs.at_rest(stages["dev"])) < 150


def test_an_order_costs_less_than_a_cent(stages: dict[str, costs.Templates]) -> None:
    for templates in stages.values():
        assert costs.total(costs.of_orders(templates)) < 2


def test_the_saga_is_counted_on_the_way_that_a_sale_takes(stages: dict[str, costs.Templates]) -> None:
    (transitions,) = [each for each in costs.of_orders(stages["dev"]) if "Transitions" in each.what]
    assert 8_000 < transitions.count < 15_000


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_the_page_says_what_the_templates_cost(stages: dict[str, costs.Templates], stage: str) -> None:
    """Within a twentieth, so that one alarm more is no new page; `make costs-page` writes it anew."""
    told = re.search(
        rf"\| {stage} \| \$([\d,.]+) \| \$([\d,.]+) \|", (ROOT / "docs" / "costs.md").read_text()
    )
    assert told is not None
    month, orders = (float(text.replace(",", "")) for text in told.groups())
    assert month == pytest.approx(costs.total(costs.at_rest(stages[stage])), rel=0.05)
    assert orders == pytest.approx(costs.total(costs.of_orders(stages[stage])), rel=0.05)
