"""A session that begins while its user's password or role is replaced, or is prolonged while it ends: it is over."""

from uuid import UUID

from functions.auth import repository, sessions
from functions.auth.database import database
from functions.auth.records import Session, UserRecord
from shared.clock import now
from tests.people import Desk
from tests.rivals import Later, half_done

RESET = "UPDATE users SET password_hash = 'of another password' WHERE id = %(id)s"


def user_of(desk: Desk) -> UserRecord:
    person = desk.person()
    with database.reading() as sql:
        user = repository.user(sql, person.id)
    assert user is not None
    return user


def start(user: UserRecord) -> Session | None:
    with database.transaction() as sql:
        return sessions.start(sql, user, now())


def live(desk: Desk, user_id: UUID) -> int:
    return len(
        desk.db.all("SELECT FROM user_sessions WHERE user_id = %(id)s AND revoked_at IS NULL", id=user_id)
    )


def test_the_old_password_opens_no_session_while_a_new_one_is_set(desk: Desk) -> None:
    user = user_of(desk)
    with half_done(desk.db, RESET, id=user.id) as reset:
        signed_in = Later(lambda: start(user))
        assert signed_in.is_blocked(desk.db)
        reset.commit()
    assert signed_in.result() is None
    assert live(desk, user.id) == 0


def test_the_old_role_opens_no_session_while_it_is_taken_away(desk: Desk) -> None:
    user = user_of(desk)
    with half_done(desk.db, "UPDATE users SET role = 'ORGANIZER' WHERE id = %(id)s", id=user.id) as granted:
        signed_in = Later(lambda: start(user))
        assert signed_in.is_blocked(desk.db)
        granted.commit()
    assert signed_in.result() is None
    assert live(desk, user.id) == 0


def test_a_reset_that_did_not_happen_keeps_nobody_out(desk: Desk) -> None:
    user = user_of(desk)
    with half_done(desk.db, RESET, id=user.id) as reset:
        signed_in = Later(lambda: start(user))
        assert signed_in.is_blocked(desk.db)
        reset.rollback()
    assert isinstance(signed_in.result(), Session)


def test_control_without_the_lock_the_old_password_opens_a_session_that_the_reset_does_not_see(
    desk: Desk,
) -> None:
    user = user_of(desk)
    with half_done(desk.db, RESET, id=user.id) as reset:
        ended = "UPDATE user_sessions SET revoked_at = now() WHERE user_id = %s"
        reset.cursor().execute(ended, [user.id])
        desk.db.run(
            """
            INSERT INTO user_sessions (user_id, token_hash, expires_at)
            SELECT id, 'x', now() + interval '1 day' FROM users WHERE id = %(id)s AND password_hash = %(hash)s
            """,
            id=user.id,
            hash=user.password_hash,
        )
        reset.commit()
    assert live(desk, user.id) == 1


def test_a_session_that_is_being_ended_is_not_prolonged(desk: Desk) -> None:
    session = start(user_of(desk))
    assert session is not None

    def prolong() -> Session | None:
        with database.transaction() as sql:
            return sessions.refresh(sql, session.refresh_token, now())

    end = "UPDATE user_sessions SET revoked_at = now() WHERE id = %(id)s"
    with half_done(desk.db, end, id=session.id) as logout:
        refreshed = Later(prolong)
        assert refreshed.is_blocked(desk.db)
        logout.commit()
    assert refreshed.result() is None
    assert live(desk, session.user.id) == 0
