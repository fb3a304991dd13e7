"""What a stage costs is counted from its templates, and the page says so."""

import ast
import re

import pytest

from tests.infrastructure.template import ROOT, System
from tools import costs, priced, prices


@pytest.fixture
def stages(system: System, production: System) -> dict[str, priced.Templates]:
    return {"dev": priced.Templates(system.folder), "prod": priced.Templates(production.folder)}


def test_everything_has_a_price_or_a_reason_to_have_none(stages: dict[str, priced.Templates]) -> None:
    for templates in stages.values():
        assert costs.at_rest(templates)
    assert not set(prices.FREE) & set(priced.PRICED)


def test_what_has_no_price_is_an_error(
    stages: dict[str, priced.Templates], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(priced.PRICED, "AWS::EC2::NatGateway")
    with pytest.raises(priced.Unpriced, match="NatGateway"):
        costs.at_rest(stages["dev"])


def test_a_machine_of_an_unknown_class_is_an_error(
    stages: dict[str, priced.Templates], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(prices.INSTANCE_HOUR, "db.t4g.micro")
    with pytest.raises(priced.Unpriced, match="micro"):
        costs.at_rest(stages["dev"])


def test_dev_stays_cheap(stages: dict[str, priced.Templates]) -> None:
    assert costs.total(costs.at_rest(stages["dev"])) < 150


def test_an_order_costs_less_than_a_cent(stages: dict[str, priced.Templates]) -> None:
    for templates in stages.values():
        assert costs.total(costs.of_orders(templates)) < 2


def test_the_saga_is_counted_on_the_way_that_a_sale_takes(stages: dict[str, priced.Templates]) -> None:
    (transitions,) = [each for each in costs.of_orders(stages["dev"]) if "Transitions" in each.what]
    assert 8_000 < transitions.count < 15_000


def test_the_page_says_what_the_templates_cost(stages: dict[str, priced.Templates]) -> None:
    """To the letter, counts and all; `make costs-page` writes it anew."""
    assert (ROOT / "docs" / "costs.md").read_text() == costs.page(stages)


def test_processes_that_are_kept_started_are_paid_for(
    stages: dict[str, priced.Templates], production: System
) -> None:
    warm = [
        alias
        for alias in production.of_type("AWS::Lambda::Alias")
        if "ProvisionedConcurrencyConfig" in alias.properties
    ]
    (line,) = [each for each in costs.at_rest(stages["prod"]) if each.what == "AWS::Lambda::Alias"]
    assert line.count == len(warm) == 11
    assert line.dollars == pytest.approx(11 * 8.76, abs=0.5)
    assert not [each for each in costs.at_rest(stages["dev"]) if each.what == "AWS::Lambda::Alias"]


def test_the_canary_s_purchases_and_the_metrics_of_jobs_and_routes_are_paid_for(
    stages: dict[str, priced.Templates],
) -> None:
    prod, dev = ({line.what: line for line in costs.at_rest(stages[name])} for name in ("prod", "dev"))
    assert prod["Purchases of the canary"].count == 12 * prices.HOURS
    assert 4 < prod["Purchases of the canary"].dollars < 9
    assert "Purchases of the canary" not in dev
    assert (dev["Metrics that jobs write"].count, prod["Metrics that jobs write"].count) == (8, 14)
    assert prod["AWS::ApiGateway::Stage"].dollars == pytest.approx(10 * prices.METRIC)


def test_every_metric_that_the_code_writes_is_one_of_those_that_are_counted() -> None:
    """A name is written by `count`, `gauge` or `business.count`, as a word of its own."""
    written = set()
    for file in [*(ROOT / "functions").rglob("*.py"), *(ROOT / "layers" / "shared" / "python").rglob("*.py")]:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in ("count", "gauge"):
                words = [word.value for word in node.args if isinstance(word, ast.Constant)]
                written |= {word for word in words if re.fullmatch("[A-Z][A-Za-z]+", str(word))}
    assert written == {*costs.METRICS_THAT_JOBS_WRITE, *costs.METRICS_OF_EVENTS}


def test_an_option_that_costs_more_is_an_error(
    stages: dict[str, priced.Templates], monkeypatch: pytest.MonkeyPatch
) -> None:
    (stage,) = stages["dev"].of("AWS::ApiGateway::Stage")
    monkeypatch.setitem(stage, "CacheClusterEnabled", True)
    with pytest.raises(priced.Unpriced, match="CacheClusterEnabled"):
        costs.at_rest(stages["dev"])
