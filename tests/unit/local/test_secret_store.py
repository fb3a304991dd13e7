"""Secrets are made as Secrets Manager makes them, and stay."""

import json
import string
from pathlib import Path

from local.resources import Secret
from local.secret_store import SecretStore, generate_password

RULES = {
    "SecretStringTemplate": '{"username": "admin"}',
    "GenerateStringKey": "password",
    "PasswordLength": 20,
}
DATABASE = Secret("database", "arn", None, RULES, is_administrator=True)


def test_a_secret_is_generated_once(tmp_path: Path) -> None:
    first = SecretStore.open(tmp_path / "secrets.json", [DATABASE]).value("database")
    second = SecretStore.open(tmp_path / "secrets.json", [DATABASE]).value("database")
    assert first == second
    assert (first["username"], len(first["password"])) == ("admin", 20)


def test_what_is_put_into_a_secret_stays(tmp_path: Path) -> None:
    stripe = Secret("stripe", "arn", '{"secretKey": ""}', None)
    store = SecretStore.open(tmp_path / "secrets.json", [stripe])
    store.update("stripe", {"secretKey": "sk", "apiBase": "http://127.0.0.1"})
    store.save()
    assert SecretStore.open(tmp_path / "secrets.json", [stripe]).value("stripe") == {
        "secretKey": "sk",
        "apiBase": "http://127.0.0.1",
    }


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    SecretStore.open(tmp_path / "secrets.json", [DATABASE])
    assert (tmp_path / "secrets.json").stat().st_mode & 0o077 == 0
    assert set(json.loads((tmp_path / "secrets.json").read_text())) == {"database"}


def test_a_password_keeps_the_rules() -> None:
    rules = {"PasswordLength": 40, "ExcludePunctuation": True, "ExcludeCharacters": "abc0"}
    for _ in range(50):
        password = generate_password(rules)
        assert len(password) == 40
        assert set(password) <= set(string.ascii_letters + string.digits) - set("abc0")
        assert any(letter.isupper() for letter in password)
        assert any(letter.isdigit() for letter in password)
