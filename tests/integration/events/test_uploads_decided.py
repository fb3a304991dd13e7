"""What has been decided about an upload stays, whoever else is at work on it."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from functions.events import image_making, image_repository, images
from functions.events.database import database
from functions.events.settings import IMAGE_AWAITED_SECONDS
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


def test_an_upload_given_up_while_it_is_looked_at_is_not_shown(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = gallery.programme.published()
    before = gallery.upload(event, jpeg(colour="red"))
    gallery.take()
    gallery.upload(event, jpeg(colour="blue"))
    look = image_making.pictures

    def slowly(*args: Any) -> Any:
        images.remove_unseen(database, now() + timedelta(seconds=IMAGE_AWAITED_SECONDS() + 5))
        return look(*args)

    monkeypatch.setattr(image_making, "pictures", slowly)
    gallery.take()
    images.remove_unseen(database, now() + timedelta(days=60))

    assert gallery.own(event)["imageUrl"] == before["imageUrl"]
    assert gallery.picture(before["imageUrl"]).getpixel((5, 5)) == RED
    assert len(gallery.keys("public/")) == 3, "its sizes"


def test_pictures_refused_because_their_event_is_over_are_removed(gallery: Gallery) -> None:
    event = gallery.programme.published()
    gallery.upload(event, jpeg())
    gallery.programme.ask(
        "cancel_event", {"reason": "Rain"}, id=event["id"], user=gallery.programme.organizer
    )
    gallery.take()
    assert gallery.keys("public/") != set()

    images.remove_unseen(database, now() + timedelta(days=60))

    assert gallery.keys("public/") == set()
