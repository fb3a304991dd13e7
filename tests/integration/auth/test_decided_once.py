"""What was decided about an account or an export stays, whoever read it before."""

from uuid import UUID, uuid4

import pytest

from functions.auth import erasing, privacy_repository, repository
from functions.auth.database import database
from functions.auth.records import UserRecord
from functions.auth.sign_in import InvalidCredentials
from shared.clock import now
from tests.people import Desk


@pytest.fixture
def user(desk: Desk) -> UserRecord:
    person = desk.person()
    with database.reading() as sql:
        found = repository.user(sql, person.id)
    assert found is not None
    return found


def test_the_password_of_before_erases_nothing(desk: Desk, user: UserRecord) -> None:
    """Whoever stole it has it no more once its owner has another one."""
    with database.transaction() as sql:
        repository.set_password(sql, user.id, "of another password", now())
    with pytest.raises(InvalidCredentials), database.transaction() as sql:
        erasing.erase(sql, user, now())
    assert desk.db.one("SELECT erased_at FROM users") == {"erased_at": None}


def test_who_has_become_the_only_administrator_meanwhile_stays(desk: Desk, user: UserRecord) -> None:
    desk.db.run("UPDATE users SET role = 'ADMIN'")
    with pytest.raises(InvalidCredentials), database.transaction() as sql:
        erasing.erase(sql, user, now())
    assert desk.db.one("SELECT erased_at FROM users") == {"erased_at": None}


def an_export(user: UserRecord) -> UUID:
    export_id = uuid4()
    with database.transaction() as sql:
        assert privacy_repository.add_export(sql, export_id, user.id, now())
    return export_id


def finish(export_id: UUID, token: str) -> bool:
    with database.transaction() as sql:
        return privacy_repository.finish_export(sql, export_id, token, now()) is not None


def test_an_export_has_one_link(user: UserRecord) -> None:
    export_id = an_export(user)
    assert [finish(export_id, token) for token in ("first", "second")] == [True, False]


def test_an_export_that_was_discarded_gets_no_link(user: UserRecord) -> None:
    export_id = an_export(user)
    with database.transaction() as sql:
        privacy_repository.discard_exports(sql, user.id)
    assert not finish(export_id, "a link")
    with database.reading() as sql:
        assert privacy_repository.export_status(sql, export_id) == "DISCARDED"
