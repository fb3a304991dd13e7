"""What has been decided about an upload stays, whoever else is at work on it."""

from uuid import UUID

import pytest

from functions.events import image_repository
from functions.events.database import database
from shared.clock import now
from tests.gallery import Gallery, jpeg, post_form
from tests.programme import Programme

RED = (254, 0, 0)


@pytest.fixture
def gallery(programme: Programme, monkeypatch: pytest.MonkeyPatch) -> Gallery:
    return Gallery.opened(programme, monkeypatch)


def die_before_it_is_shown(gallery: Gallery) -> None:
    """The consumer has put the pictures where they are seen, and no more."""
    gallery.programme.db.run("ALTER TABLE catalogue RENAME TO catalogue_away")
    assert len(gallery.take()) == 1
    gallery.programme.db.run("ALTER TABLE catalogue_away RENAME TO catalogue")


def test_a_second_file_for_a_form_does_not_take_the_address_of_the_first(gallery: Gallery) -> None:
    form = gallery.upload(gallery.programme.published(), jpeg(colour="red"))
    die_before_it_is_shown(gallery)
    post_form(form["uploadUrl"], form["fields"], jpeg(colour="blue"))

    assert gallery.take() == []

    assert gallery.picture(form["imageUrl"]).getpixel((5, 5)) == RED
    assert gallery.keys("uploads/") == set()


def test_whoever_looks_at_the_same_file_and_finds_it_gone_refuses_nothing(gallery: Gallery) -> None:
    event = gallery.programme.published()
    form = gallery.upload(event, jpeg())
    gallery.take()
    row = gallery.programme.db.one("SELECT id FROM image_uploads")
    assert row is not None

    with database.transaction() as sql:
        assert not image_repository.finish(sql, UUID(str(row["id"])), "REFUSED", now(), error="It is gone")

    assert (gallery.own(event)["imageStatus"], gallery.own(event)["imageUrl"]) == ("SHOWN", form["imageUrl"])
