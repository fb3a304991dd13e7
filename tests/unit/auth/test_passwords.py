"""Passwords: the right one, the wrong one, and the one of nobody."""

import time

from functions.auth import passwords


def test_only_the_right_password_matches() -> None:
    kept = passwords.hashed("correct horse battery")

    assert passwords.matches("correct horse battery", kept)
    assert not passwords.matches("correct horse battery ", kept)
    assert not passwords.matches("anything", "not a hash")


def test_the_same_password_is_kept_differently_each_time() -> None:
    assert passwords.hashed("correct horse battery") != passwords.hashed("correct horse battery")


def test_nobodys_password_takes_as_long_to_refuse() -> None:
    kept = passwords.hashed("correct horse battery")

    somebodys = min(_seconds(kept) for _ in range(5))
    nobodys = min(_seconds(None) for _ in range(5))

    assert 0.5 < nobodys / somebodys < 2


def _seconds(password_hash: str | None) -> float:
    started = time.process_time()
    assert not passwords.matches("wrong", password_hash)
    return time.process_time() - started
