"""What the database refuses by itself, whatever the code asks of it."""

from uuid import UUID

import pytest

from shared.clock import now
from tests.databases import TestDatabase
from tests.refusals import add, constraints, not_refused

ADA, GRACE, ONE, TWO = (UUID(int=number) for number in range(1, 5))

REFUSED = [
    ("users_pkey", f"UPDATE users SET id = '{ONE}'"),
    ("users_email_is_unique", "UPDATE users SET email = 'same@example.com'"),
    ("users_email_is_lower_case", "UPDATE users SET email = 'Ada@example.com' WHERE first_name = 'Ada'"),
    ("users_first_name_check", "UPDATE users SET first_name = ''"),
    ("users_last_name_check", "UPDATE users SET last_name = ''"),
    ("users_role_check", "UPDATE users SET role = 'OWNER'"),
    ("user_sessions_pkey", f"UPDATE user_sessions SET id = '{ADA}'"),
    ("user_sessions_token_hash_key", "UPDATE user_sessions SET token_hash = 'same'"),
    ("user_sessions_user_id_fkey", "UPDATE user_sessions SET user_id = gen_random_uuid()"),
    ("used_refresh_tokens_pkey", "UPDATE used_refresh_tokens SET token_hash = 'same'"),
    ("used_refresh_tokens_session_id_fkey", "UPDATE used_refresh_tokens SET session_id = gen_random_uuid()"),
    ("email_tokens_pkey", f"UPDATE email_tokens SET id = '{ADA}'"),
    ("email_tokens_token_hash_key", "UPDATE email_tokens SET token_hash = 'same'"),
    ("email_tokens_user_id_fkey", "UPDATE email_tokens SET user_id = gen_random_uuid()"),
    ("email_tokens_kind_check", "UPDATE email_tokens SET kind = 'INVITE'"),
    ("exports_pkey", f"UPDATE exports SET id = '{ADA}'"),
    ("exports_user_id_fkey", "UPDATE exports SET user_id = gen_random_uuid()"),
    ("exports_status_check", "UPDATE exports SET status = 'LOST'"),
    ("exports_one_open", "UPDATE exports SET status = 'COLLECTING'"),
    (
        "exports_token_hash_key",
        "UPDATE exports SET status = 'READY', token_hash = 'same', expires_at = now()",
    ),
    ("exports_ready_has_a_link", "UPDATE exports SET status = 'READY'"),
    ("exports_ready_has_a_link", f"UPDATE exports SET status = 'READY', token_hash = 'a' WHERE id = '{ONE}'"),
    ("exports_ready_has_a_link", "UPDATE exports SET status = 'READY', expires_at = now()"),
    (
        "exports_ready_has_a_link",
        f"UPDATE exports SET token_hash = 'a', expires_at = now() WHERE id = '{ONE}'",
    ),
]


@pytest.fixture
def db(auth_db: TestDatabase) -> TestDatabase:
    """Two rows in every table."""
    at = now()
    for user_id, name in ((ADA, "Ada"), (GRACE, "Grace")):
        email = f"{name.lower()}@example.com"
        born = {"date_of_birth": "1990-12-10", "password_hash": "x"}
        add(auth_db, "users", id=user_id, email=email, first_name=name, last_name="Lovelace", **born)
    for id, token, status in ((ONE, "one", "COLLECTING"), (TWO, "two", "DISCARDED")):
        of_ada = {"user_id": ADA, "token_hash": token, "expires_at": at}
        add(auth_db, "user_sessions", id=id, **of_ada)
        add(auth_db, "used_refresh_tokens", token_hash=token, session_id=id, used_at=at)
        add(auth_db, "email_tokens", id=id, kind="RESET", created_at=at, **of_ada)
        add(auth_db, "exports", id=id, user_id=ADA, status=status, requested_at=at, asked_at=at)
    return auth_db


def test_what_cannot_be_is_refused(db: TestDatabase) -> None:
    assert not_refused(db, REFUSED) == []


def test_every_constraint_is_tried(db: TestDatabase) -> None:
    assert constraints(db) == {constraint for constraint, _ in REFUSED}


def test_with_a_user_goes_all_that_opens_the_account(db: TestDatabase) -> None:
    db.run("DELETE FROM users")
    for table in ("user_sessions", "used_refresh_tokens", "email_tokens", "exports"):
        assert db.all(f"SELECT FROM {table}") == []
