"""The auditor finds each kind of breach, by its ids, and nothing where nothing is wrong."""

from tests.whole_shop import WholeShop


def test_orders_of_every_kind_break_nothing(whole_shop: WholeShop) -> None:
    whole_shop.order()
    whole_shop.order("pm_card_chargeDeclined")
    whole_shop.order(None, price="0.00", type="free")
    whole_shop.give_up(whole_shop.order("pm_card_authenticationRequired"))
    report = whole_shop.audit()
    assert report["findings"] == []
    assert report["checked"]["complete"]
    assert report["checked"]["orders"] == 4
