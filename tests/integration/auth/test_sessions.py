"""Sessions: refreshing works once, reuse ends them, and whatever ends them ends them at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from functions.auth import session_cache, sessions
from functions.auth.cache import cache as service_cache
from functions.auth.database import database as service_database
from functions.auth.jobs import grant_role
from functions.auth.records import Session
from functions.auth.settings import SESSION_CACHE_TRUST_SECONDS
from local.valkey import Valkey
from shared.clock import now
from shared.database import Database
from tests.cloud import Extension
from tests.outages import hanging
from tests.people import Desk, Person, keys_unreadable
from tests.support import Reply, context

ENDINGS = ("logout", "reset_password", "a refresh token used again", "grant_role")


def believe_for(extension: Extension, seconds: int) -> None:
    """For how long the cache's word on a session is good."""
    extension.parameters["session_cache_trust_seconds"] = str(seconds)
    SESSION_CACHE_TRUST_SECONDS._value = None


def refresh(desk: Desk, refresh_token: str) -> Reply:
    return desk.ask("refresh", {"refreshToken": refresh_token})


def test_refreshing_gives_new_tokens_of_the_same_session(desk: Desk) -> None:
    person = desk.person()
    first = desk.signed_in(person)

    second = refresh(desk, first["refreshToken"])

    assert second.status == 200
    assert second.body["refreshToken"] != first["refreshToken"]
    assert desk.user(second.body["accessToken"]).session_id == desk.user(first["accessToken"]).session_id
    assert second.body["user"]["userId"] == str(person.id)
    assert refresh(desk, second.body["refreshToken"]).status == 200


def test_a_refresh_token_used_again_ends_the_whole_session(desk: Desk) -> None:
    first = desk.signed_in(desk.person())
    second = refresh(desk, first["refreshToken"]).body
    assert desk.is_let_in(second["accessToken"])

    again = refresh(desk, first["refreshToken"])

    assert (again.status, again.code) == (401, "INVALID_TOKEN")
    assert refresh(desk, second["refreshToken"]).status == 401
    assert not desk.is_let_in(first["accessToken"])
    assert not desk.is_let_in(second["accessToken"])


def test_a_refresh_that_finds_no_key_to_sign_with_leaves_the_token_for_another_try(
    desk: Desk, extension: Extension
) -> None:
    first = desk.signed_in(desk.person())
    with keys_unreadable(extension):
        failed = refresh(desk, first["refreshToken"])
    assert (failed.status, failed.code) == (503, "SERVICE_UNAVAILABLE")

    second = refresh(desk, first["refreshToken"])

    assert second.status == 200
    assert desk.is_let_in(second.body["accessToken"])


def test_even_a_token_of_long_ago_ends_the_session(desk: Desk) -> None:
    first = desk.signed_in(desk.person())
    last = first
    for _ in range(3):
        last = refresh(desk, last["refreshToken"]).body

    refresh(desk, first["refreshToken"])

    assert not desk.is_let_in(last["accessToken"])


def test_other_sessions_of_the_user_go_on(desk: Desk) -> None:
    person = desk.person()
    phone, laptop = desk.signed_in(person), desk.signed_in(person)
    refresh(desk, phone["refreshToken"])
    refresh(desk, phone["refreshToken"])

    assert desk.is_let_in(laptop["accessToken"])


def test_of_refreshes_at_the_same_time_exactly_one_wins(desk: Desk) -> None:
    token = desk.signed_in(desk.person())["refreshToken"]

    def exchange(database: Database) -> Session | None:
        with database.transaction() as sql:
            return sessions.refresh(sql, token, now())

    databases = [Database("auth") for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        won = [session for session in pool.map(exchange, databases) if session is not None]

    assert len(won) == 1
    assert desk.db.one("SELECT revoked_at IS NOT NULL AS ended FROM user_sessions") == {"ended": True}
    for database in databases:
        database.reset()


@pytest.mark.parametrize("token", ["nonsense", "a" * 43])
def test_an_unknown_refresh_token_is_refused_and_ends_nothing(desk: Desk, token: str) -> None:
    tokens = desk.signed_in(desk.person())

    assert refresh(desk, token).status == 401
    assert desk.is_let_in(tokens["accessToken"])


def test_an_expired_session_cannot_be_refreshed(desk: Desk) -> None:
    tokens = desk.signed_in(desk.person())
    desk.db.run("UPDATE user_sessions SET expires_at = now() - interval '1 second'")

    assert refresh(desk, tokens["refreshToken"]).status == 401
    assert not desk.is_let_in(tokens["accessToken"])


def test_logging_out_cuts_at_once(desk: Desk) -> None:
    tokens = desk.signed_in(desk.person())
    user = desk.user(tokens["accessToken"])
    assert session_cache.state(user.id, user.session_id, now()) == "live", "it was in the cache"

    reply = desk.ask("logout", user=user)

    assert (reply.status, reply.body) == (204, "")
    assert not desk.is_let_in(tokens["accessToken"])
    assert refresh(desk, tokens["refreshToken"]).status == 401


def test_logging_out_twice_is_no_error(desk: Desk) -> None:
    user = desk.user(desk.signed_in(desk.person())["accessToken"])

    assert [desk.ask("logout", user=user).status for _ in range(2)] == [204, 204]


def test_a_reader_who_saw_the_session_alive_cannot_bring_it_back(desk: Desk) -> None:
    user = desk.user(desk.signed_in(desk.person())["accessToken"])
    read_at = now()
    desk.ask("logout", user=user)

    session_cache.remember(user.id, user.session_id, read_at)

    assert session_cache.state(user.id, user.session_id, now()) == "ended"


def test_nor_when_the_day_of_the_hash_is_over_just_then(desk: Desk) -> None:
    user = desk.user(desk.signed_in(desk.person())["accessToken"])
    read_at = now()
    service_cache._client.pexpire(f"session:{user.id}", 4900)  # sooner than a reader is not believed any more
    desk.ask("logout", user=user)

    assert service_cache._client.pttl(f"session:{user.id}") > 5000
    session_cache.remember(user.id, user.session_id, read_at)
    assert session_cache.state(user.id, user.session_id, now()) == "ended"


def test_what_the_cache_says_is_believed_for_five_seconds(desk: Desk) -> None:
    user = desk.user(desk.signed_in(desk.person())["accessToken"])
    field = f"active:{now().timestamp() - 5}"
    service_cache.set_field(f"session:{user.id}", str(user.session_id), field, seconds=60)

    assert session_cache.state(user.id, user.session_id, now()) is None
    assert desk.is_let_in(desk.signed_in(desk.person())["accessToken"])


def test_what_nobody_of_ours_wrote_into_the_cache_says_nothing(desk: Desk) -> None:
    tokens = desk.signed_in(desk.person())
    user = desk.user(tokens["accessToken"])
    for value in ("", "active:", "active:soon", "active:nan", "live"):
        service_cache.set_field(f"session:{user.id}", str(user.session_id), value, seconds=60)

        assert session_cache.state(user.id, user.session_id, now()) is None
        assert desk.is_let_in(tokens["accessToken"])


def test_without_redis_everything_works_on_postgresql(
    desk: Desk, extension: Extension, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CACHE_PORT", "9")
    service_cache.reset()
    believe_for(extension, 0)
    tokens = desk.signed_in(desk.person())
    user = desk.user(tokens["accessToken"])

    assert desk.ask("logout", user=user).status == 204
    assert not desk.is_let_in(tokens["accessToken"])
    assert refresh(desk, tokens["refreshToken"]).status == 401


def test_the_hash_of_sessions_ends_a_day_after_its_first_field(desk: Desk) -> None:
    user = desk.user(desk.signed_in(desk.person())["accessToken"])

    seconds = service_cache._client.ttl(f"session:{user.id}")

    assert 86_000 < seconds <= 86_400


def ending(desk: Desk, how: str, person: Person, tokens: dict[str, Any]) -> Callable[[], object]:
    """One of the ways in which a session ends, ready to be done."""
    if how == "logout":
        user = desk.user(tokens["accessToken"])
        return lambda: desk.ask("logout", user=user)
    if how == "reset_password":
        desk.ask("forgot_password", {"email": person.email})
        token = desk.mailed("auth.password_reset_requested.v1")["token"]
        body = {"token": token, "newPassword": "another long one"}
        return lambda: desk.ask("reset_password", body)
    if how == "grant_role":
        return lambda: grant_role.handler({"email": person.email, "role": "ORGANIZER"}, context())
    refresh(desk, tokens["refreshToken"])
    return lambda: refresh(desk, tokens["refreshToken"])


@pytest.mark.parametrize("how", ENDINGS)
def test_a_session_that_redis_could_not_be_told_of_is_over_all_the_same_when_redis_is_back(
    desk: Desk, cache: Valkey, extension: Extension, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """Redis is away for whoever ends the session, and keeps what it had for the authorizer."""
    believe_for(extension, 1)
    person = desk.person()
    tokens = desk.signed_in(person)
    end = ending(desk, how, person, tokens)
    assert desk.is_let_in(tokens["accessToken"]), "so that it is in the cache"
    monkeypatch.setenv("CACHE_PORT", "9")
    service_cache.reset()

    end()

    monkeypatch.setenv("CACHE_PORT", str(cache.port))
    service_cache.reset()
    assert not desk.is_let_in(tokens["accessToken"])


def test_redis_is_told_of_a_logout_when_it_answers_again(
    desk: Desk, cache: Valkey, extension: Extension, monkeypatch: pytest.MonkeyPatch
) -> None:
    believe_for(extension, 60)  # longer than this test may take: it does not wait for the time to pass
    user = desk.user(desk.signed_in(desk.person())["accessToken"])
    with ThreadPoolExecutor(1) as pool, service_database.reading() as sql:
        with hanging(cache.port):
            told = pool.submit(session_cache.end, user.id, [user.session_id])
            sql.one("SELECT pg_sleep(0.6)")  # longer than Redis is waited for
        told.result()

    assert session_cache.state(user.id, user.session_id, now()) == "ended"
