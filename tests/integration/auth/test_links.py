"""Links in mails: who gets one, what a stranger learns, and what a new password does."""

from typing import Any

import pytest

from functions.auth.database import database
from tests.people import Desk

VERIFY, RESET = "auth.verification_requested.v1", "auth.password_reset_requested.v1"
NOBODY = "auth.no_link_due.v1"


def reset(desk: Desk, token: str, password: str = "another long one") -> int:
    return desk.ask("reset_password", {"token": token, "newPassword": password}).status


@pytest.mark.parametrize("route", ["forgot_password", "resend_verification"])
def test_the_answer_and_the_work_are_the_same_whether_or_not_there_is_an_account(
    desk: Desk, route: str
) -> None:
    known = desk.register().body["email"]
    before = len(desk.aws.messages("auth"))

    replies = [desk.ask(route, {"email": email}) for email in (known, "nobody@example.com")]

    assert [reply.status for reply in replies] == [202, 202]
    assert replies[0].body == replies[1].body
    said = desk.aws.messages("auth")[before:]
    assert [message["type"] == NOBODY for message in said] == [False, True], "a message each"
    assert said[1]["data"] == {}


@pytest.mark.parametrize("route", ["forgot_password", "resend_verification"])
def test_the_statements_are_the_same_whether_or_not_there_is_an_account(
    desk: Desk, route: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, run = desk.register().body["email"], database.execute
    statements: dict[str, list[str]] = {known: [], "nobody@example.com": []}
    for email, seen in statements.items():

        def noting(statement: str, *arguments: Any, seen: list[str] = seen, **options: Any) -> Any:
            seen.append(" ".join(statement.split()))
            return run(statement, *arguments, **options)

        monkeypatch.setattr(database, "execute", noting)
        assert desk.ask(route, {"email": email}).status == 202

    there, nobody = statements.values()
    assert there == nobody
    assert [statement.startswith("INSERT INTO outbox") for statement in there].count(True) == 1
    assert (there[0], "COMMIT" in there) == ("BEGIN", True)


def test_a_verified_address_gets_no_other_link(desk: Desk) -> None:
    person = desk.person()

    desk.ask("resend_verification", {"email": person.email})

    assert len(desk.said(VERIFY)) == 1
    assert len(desk.said(NOBODY)) == 1


def test_a_link_sent_again_works_and_so_does_the_first_until_one_is_used(desk: Desk) -> None:
    email = desk.register().body["email"]
    desk.ask("resend_verification", {"email": email})
    first, second = [message["data"]["token"] for message in desk.said(VERIFY)]

    assert desk.ask("verify_email", {"token": second}).status == 200
    assert desk.ask("verify_email", {"token": first}).status == 400


def test_nobody_is_flooded_with_mails(desk: Desk) -> None:
    person = desk.person()

    for _ in range(7):
        assert desk.ask("forgot_password", {"email": person.email}).status == 202

    assert len(desk.said(RESET)) == 5


def test_a_new_password_replaces_the_old_one_and_ends_every_session(desk: Desk) -> None:
    person = desk.person()
    phone, laptop = desk.signed_in(person), desk.signed_in(person)
    assert desk.is_let_in(phone["accessToken"])
    desk.ask("forgot_password", {"email": person.email})
    token = desk.mailed(RESET)["token"]

    assert reset(desk, token) == 204

    assert not desk.is_let_in(phone["accessToken"])
    assert not desk.is_let_in(laptop["accessToken"])
    assert desk.ask("refresh", {"refreshToken": laptop["refreshToken"]}).status == 401
    assert desk.login(person.email).code == "INVALID_CREDENTIALS"
    assert desk.login(person.email, "another long one").status == 200
    assert reset(desk, token) == 400, "a link works once"


def test_a_new_password_makes_the_other_links_useless(desk: Desk) -> None:
    person = desk.person()
    for _ in range(2):
        desk.ask("forgot_password", {"email": person.email})
    first, second = [message["data"]["token"] for message in desk.said(RESET)]

    assert reset(desk, second) == 204
    assert reset(desk, first) == 400


def test_a_password_that_is_too_short_leaves_the_link_good(desk: Desk) -> None:
    person = desk.person()
    desk.ask("forgot_password", {"email": person.email})
    token = desk.mailed(RESET)["token"]

    assert desk.ask("reset_password", {"token": token, "newPassword": "short"}).fields == {"newPassword"}
    assert reset(desk, token) == 204


def test_an_expired_link_resets_nothing(desk: Desk) -> None:
    person = desk.person()
    desk.ask("forgot_password", {"email": person.email})
    desk.db.run("UPDATE email_tokens SET expires_at = now() - interval '1 second'")

    assert reset(desk, desk.mailed(RESET)["token"]) == 400
    assert desk.login(person.email).status == 200


def test_a_link_to_the_address_proves_the_address(desk: Desk) -> None:
    email = desk.register().body["email"]
    desk.ask("forgot_password", {"email": email})

    reset(desk, desk.mailed(RESET)["token"])

    assert desk.login(email, "another long one").status == 200


def test_whoever_waits_after_failures_may_reset_and_sign_in(desk: Desk) -> None:
    person = desk.person()
    for _ in range(10):
        desk.login(person.email, "not the password")
    desk.ask("forgot_password", {"email": person.email})

    reset(desk, desk.mailed(RESET)["token"])

    assert desk.login(person.email, "another long one").status == 200
