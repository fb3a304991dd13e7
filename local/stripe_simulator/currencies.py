"""Currencies and the amounts Stripe takes in them: https://docs.stripe.com/currencies."""

from local.stripe_simulator import errors

_SUPPORTED = """
    usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bif bmd bnd bob brl bsd bwp byn bzd cad cdf chf
    clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl htg huf idr
    ils inr isk jmd jpy kes kgs khr kmf krw kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk
    mxn myr mzn nad ngn nio nok npr nzd pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp
    sle sos srd std szl thb tjs top try ttd twd tzs uah ugx uyu uzs vnd vuv wst xaf xcd xof xpf yer zar zmw
"""
SUPPORTED = frozenset(_SUPPORTED.split())

_ZERO_DECIMAL = "bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf"
ZERO_DECIMAL = frozenset(_ZERO_DECIMAL.split())

# The least charge of the settlement currencies, in minor units; others are judged after conversion by Stripe and
# by the half dollar here.
# https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts
_MINIMUM = {
    "aed": 200, "bgn": 100, "czk": 1500, "dkk": 250, "gbp": 30, "hkd": 400, "huf": 17500, "jpy": 50, "mxn": 1000,
    "myr": 200, "nok": 300, "pln": 200, "ron": 200, "sek": 300, "thb": 1000,
}  # fmt: skip
_DEFAULT_MINIMUM = 50
_MAXIMUM = 99_999_999

_SIGNS = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥"}


def shown(amount: int, currency: str) -> str:
    """Minor units as Stripe writes them in messages: `$25.00`, `€9.90`, `15.00 Kč` being plain `15.00` here."""
    sign = _SIGNS.get(currency, "")
    return f"{sign}{amount:,}" if currency in ZERO_DECIMAL else f"{sign}{amount / 100:,.2f}"


def check_charge(amount: int, currency: str) -> None:
    """Refuse a charge that Stripe would refuse.

    Args:
        amount: minor units.
        currency: lower case ISO 4217.

    Raises:
        Refusal: unsupported currency; amount below one, below the least, or above eight digits.
    """
    if currency not in SUPPORTED:
        raise errors.parameter_invalid(
            "currency",
            f"Invalid currency: {currency}. Stripe currently supports these currencies:"
            f" {', '.join(sorted(SUPPORTED))}",
        )
    if amount < 1:
        raise errors.parameter_invalid(
            "amount", "This value must be greater than or equal to 1.", "parameter_invalid_integer"
        )
    least = _MINIMUM.get(currency, _DEFAULT_MINIMUM)
    if amount < least:
        message = f"Amount must be at least {shown(least, currency)} {currency}"
        raise errors.parameter_invalid("amount", message, "amount_too_small")
    if amount > _MAXIMUM:
        message = f"Amount must be no more than {shown(_MAXIMUM, currency)} {currency}"
        raise errors.parameter_invalid("amount", message, "amount_too_large")
