"""An export that is asked for while its user is erased: there is none."""

from uuid import uuid4

import pytest

from functions.auth import privacy_repository as repository
from functions.auth.database import database
from shared.clock import now
from tests.people import Desk
from tests.rivals import Later, half_done

ERASE = "UPDATE users SET erased_at = now() WHERE id = %(id)s"


@pytest.mark.parametrize("happens", [True, False])
def test_an_export_asked_for_during_an_erasure_waits_for_it(desk: Desk, happens: bool) -> None:
    person = desk.person()

    def ask() -> bool:
        with database.transaction() as sql:
            return repository.add_export(sql, uuid4(), person.id, now())

    with half_done(desk.db, ERASE, id=person.id) as erasure:
        asked = Later(ask)
        assert asked.is_blocked(desk.db)
        if happens:
            erasure.commit()
        else:
            erasure.rollback()
    assert asked.result() is not happens
    assert len(desk.db.all("SELECT FROM exports")) == (not happens)
