"""QR codes: what is signed is what is read, and nothing else is."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest

from functions.tickets import qr_codes
from functions.tickets import signing_keys as ticket_keys
from functions.tickets.qr_codes import Forged
from functions.tickets.signing_keys import decode, encode
from shared import signing_keys
from shared.signing_keys import Jwk
from tests.cloud import Extension
from tests.ticket_sales import give_keys, new_key

TICKET, EVENT = UUID(int=1), UUID(int=2)


@pytest.fixture
def keys(extension: Extension, monkeypatch: pytest.MonkeyPatch) -> Iterator[Jwk]:
    """One key, which signs."""
    key = new_key("k1")
    give_keys(extension, key, environment=monkeypatch)
    yield key
    ticket_keys.keys.forget()


@pytest.mark.usefixtures("keys")
def test_a_code_stands_for_its_ticket_and_event() -> None:
    assert qr_codes.ids_of(qr_codes.signer().code(TICKET, EVENT)) == (TICKET, EVENT)


@pytest.mark.usefixtures("keys")
def test_a_code_fits_its_column_and_a_scanner() -> None:
    code = qr_codes.signer().code(uuid4(), uuid4())
    assert len(code) < 200
    assert code.isascii()


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize("position", range(4))
def test_changing_any_character_makes_it_forged(position: int) -> None:
    code = qr_codes.signer().code(TICKET, EVENT)
    start = sum(len(part) + 1 for part in code.split(".")[:position])
    for index in range(start, start + len(code.split(".")[position])):
        changed = code[:index] + ("A" if code[index] != "A" else "B") + code[index + 1 :]
        with pytest.raises(Forged):
            qr_codes.ids_of(changed)


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize(
    "change", [str.lower, lambda code: code + "=", lambda code: code + ".x", lambda code: code[:-1]]
)
def test_another_spelling_is_forged(change: object) -> None:
    assert callable(change)
    with pytest.raises(Forged):
        qr_codes.ids_of(change(qr_codes.signer().code(TICKET, EVENT)))


def test_a_key_published_a_moment_ago_is_looked_for(
    keys: Jwk, extension: Extension, monkeypatch: pytest.MonkeyPatch
) -> None:
    qr_codes.ids_of(qr_codes.signer().code(TICKET, EVENT))
    before = dict(vars(ticket_keys.keys))
    give_keys(extension, keys, new_key("k2"), environment=monkeypatch)
    code = qr_codes.signer().code(TICKET, EVENT)
    vars(ticket_keys.keys).update(before)  # this process has not read the keys again

    with pytest.raises(Forged):
        qr_codes.ids_of(code)
    monkeypatch.setattr(signing_keys, "LOOK_AGAIN_SECONDS", 0)

    assert qr_codes.ids_of(code) == (TICKET, EVENT)


@pytest.mark.parametrize("text", ["a", "a===", "YQ==", "YR", "Y Q", "ä"])
def test_bytes_have_one_spelling(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        decode(text)


def test_bytes_survive_their_spelling() -> None:
    for length in range(20):
        assert decode(encode(bytes(range(length)))) == bytes(range(length))
