"""From the form to the picture that is shown, with real PostgreSQL and an emulated S3."""

import base64
import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from functions.events import image_repository
from functions.events.database import database
from functions.events.jobs import install_placeholder, remove_images
from functions.events.settings import IMAGE_MAX_BYTES, PICTURES_SHOWN
from shared.clock import now
from shared.database import Sql
from shared.identity import Role
from tests import sweeping
from tests.gallery import BUCKET, Gallery, jpeg, opened, post_form, saved
from tests.programme import Programme
from tests.support import a_user, context


@pytest.fixture
def gallery(programme: Programme, monkeypatch: pytest.MonkeyPatch) -> Gallery:
    return Gallery.opened(programme, monkeypatch)


def age(gallery: Gallery, hours: int) -> None:
    """Let this time pass for all uploads."""
    gallery.programme.db.run(
        """
        UPDATE image_uploads SET created_at = created_at - make_interval(hours => %(hours)s),
                                 finished_at = finished_at - make_interval(hours => %(hours)s)
        """,
        hours=hours,
    )


def test_the_form_admits_one_key_one_type_and_the_announced_size(gallery: Gallery) -> None:
    reply = gallery.ask(gallery.programme.draft(), contentType="image/png", size=1234)

    assert reply.status == 200
    fields = reply.body["fields"]
    conditions = json.loads(base64.b64decode(fields["policy"]))["conditions"]
    assert fields["key"].startswith("uploads/")
    assert {"key": fields["key"]} in conditions
    assert {"bucket": BUCKET} in conditions
    assert {"Content-Type": "image/png"} in conditions
    assert ["content-length-range", 1, 1234] in conditions
    assert fields["x-amz-algorithm"] == "AWS4-HMAC-SHA256"
    assert reply.body["imageUrl"].startswith("https://pictures.example/")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"contentType", "size"}),
        ({"contentType": "image/svg+xml", "size": 0}, {"contentType", "size"}),
        ({"contentType": "image/jpeg", "size": 5 * 1024 * 1024 + 1}, {"size"}),
        ({"contentType": "image/jpeg", "size": "9"}, {"size"}),
        ({"contentType": "image/jpeg", "size": True}, {"size"}),
        ({"contentType": "image/jpeg", "size": 9, "key": "public/x"}, {"key"}),
    ],
)
def test_a_picture_of_another_kind_or_size_is_bad_input(
    gallery: Gallery, body: dict[str, Any], fields: set[str]
) -> None:
    event = gallery.programme.draft()
    reply = gallery.programme.ask("upload_image", body, id=event["id"], user=gallery.programme.organizer)

    assert (reply.status, reply.fields) == (400, fields)


def test_an_operator_may_lower_the_limit(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(IMAGE_MAX_BYTES, "_value", 100)
    monkeypatch.setattr(IMAGE_MAX_BYTES, "_good_until", float("inf"))

    assert gallery.ask(gallery.programme.draft(), size=100).status == 200
    assert gallery.ask(gallery.programme.draft(), size=101).fields == {"size"}


def test_a_picture_is_for_one_s_own_event_unless_one_is_an_admin(gallery: Gallery) -> None:
    event, body = gallery.programme.draft(), {"contentType": "image/jpeg", "size": 9}
    ask = gallery.programme.ask

    assert ask("upload_image", body, id=event["id"]).status == 401
    assert ask("upload_image", body, id=event["id"], user=a_user()).status == 403
    assert ask("upload_image", body, id=event["id"], user=a_user(Role.ORGANIZER)).status == 404
    assert ask("upload_image", body, id=str(uuid4()), user=gallery.programme.organizer).status == 404
    assert ask("upload_image", body, id=event["id"], user=a_user(Role.ADMIN)).status == 200


def test_a_cancelled_event_gets_no_picture_any_more(gallery: Gallery) -> None:
    event = gallery.programme.published()
    gallery.upload(event, jpeg())
    gallery.programme.ask(
        "cancel_event", {"reason": "Rain"}, id=event["id"], user=gallery.programme.organizer
    )
    gallery.take()

    assert gallery.ask(event).code == "EVENT_OVER"
    assert gallery.own(event)["imageStatus"] == "REFUSED"


def test_an_uploaded_picture_is_shown_where_the_form_said_it_would_be(gallery: Gallery) -> None:
    event = gallery.programme.published(name="Gala")
    assert gallery.own(event)["imageStatus"] == "NONE"
    gallery.programme.found("gala")  # so that it is in the cache
    gallery.programme.ask("get_event", id=event["id"])

    form = gallery.upload(event, jpeg((1200, 900)))
    assert gallery.own(event)["imageStatus"] == "AWAITED"
    assert gallery.take() == []

    own = gallery.own(event)
    assert (own["imageStatus"], own["imageError"], own["imageUrl"]) == ("SHOWN", None, form["imageUrl"])
    assert gallery.programme.ask("get_event", id=event["id"]).body["imageUrl"] == form["imageUrl"]
    searched = gallery.programme.ask("search_events", query={"q": "gala"}).body["items"]
    assert [item["imageUrl"] for item in searched] == [form["imageUrl"]]
    assert gallery.picture(form["imageUrl"]).size == (800, 600)
    assert gallery.picture(form["imageUrl"].replace("medium", "large")).size == (1200, 900)
    assert gallery.picture(form["imageUrl"].replace("medium", "small")).size == (320, 240)
    assert gallery.keys("uploads/") == set(), "the upload itself is gone"


def test_a_picture_is_no_change_that_an_editor_could_lose(gallery: Gallery) -> None:
    event = gallery.programme.draft()
    gallery.upload(event, jpeg())
    gallery.take()

    own = gallery.own(event)
    assert own["version"] == event["version"]
    assert own["updatedAt"] > event["updatedAt"]
    described = {name: event[name] for name in ("name", "eventDate", "timeZone", "venueName", "venueAddress")}
    changed = gallery.programme.ask(
        "update_event",
        described,
        id=event["id"],
        user=gallery.programme.organizer,
        headers={"If-Match": str(event["version"])},
    )
    assert changed.status == 200
    assert changed.body["imageUrl"] == own["imageUrl"], "a description leaves the picture alone"


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"<svg/>", "not a JPEG"), (jpeg()[:1500], "broken"), (saved(opened(jpeg()), "PNG"), "announced")],
)
def test_a_bad_picture_is_deleted_and_the_organizer_sees_why(
    gallery: Gallery, content: bytes, reason: str
) -> None:
    event = gallery.programme.published()
    shown = gallery.upload(event, jpeg())
    gallery.take()
    gallery.upload(event, content)
    assert gallery.take() == []

    own = gallery.own(event)
    assert own["imageStatus"] == "REFUSED"
    assert reason in own["imageError"]
    assert own["imageUrl"] == shown["imageUrl"], "it keeps the picture it has"
    assert gallery.keys("uploads/") == set()


def test_a_file_larger_than_announced_is_refused_even_if_the_bucket_let_it_in(gallery: Gallery) -> None:
    event, content = gallery.programme.draft(), jpeg()
    form = gallery.ask(event, size=len(content) - 1).body
    post_form(form["uploadUrl"], form["fields"], content)
    gallery.take()

    assert "larger" in gallery.own(event)["imageError"]


def test_the_upload_asked_for_last_wins_in_whatever_order_they_arrive(gallery: Gallery) -> None:
    event = gallery.programme.published()
    gallery.upload(event, jpeg(colour="red"))
    last = gallery.upload(event, jpeg(colour="blue"))
    for record in reversed(gallery.messages()):
        assert gallery.take([record]) == []

    own = gallery.own(event)
    assert (own["imageUrl"], own["imageStatus"]) == (last["imageUrl"], "SHOWN")
    states = gallery.programme.db.all("SELECT status FROM image_uploads ORDER BY sequence")
    assert [row["status"] for row in states] == ["SUPERSEDED", "SHOWN"]


def test_a_message_that_comes_again_changes_nothing(gallery: Gallery) -> None:
    event = gallery.programme.published()
    first = gallery.upload(event, jpeg(colour="red"))
    messages = gallery.messages()
    gallery.take(messages)
    second = gallery.upload(event, jpeg(colour="blue"))
    gallery.take()

    assert gallery.take(messages) == []
    assert gallery.own(event)["imageUrl"] == second["imageUrl"] != first["imageUrl"]


def test_a_death_between_the_pictures_and_the_database_is_made_good_by_the_message_s_return(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = gallery.programme.published()
    form = gallery.upload(event, jpeg())
    messages = gallery.messages()
    gallery.programme.db.run("ALTER TABLE catalogue RENAME TO catalogue_away")
    assert len(gallery.take(messages)) == 1
    assert len(gallery.keys("public/")) == 3, "the pictures were there before it died"
    gallery.programme.db.run("ALTER TABLE catalogue_away RENAME TO catalogue")

    assert gallery.own(event)["imageStatus"] == "AWAITED"
    assert gallery.take(messages) == []
    assert gallery.own(event)["imageUrl"] == form["imageUrl"]


def test_a_form_sent_again_with_another_file_does_not_change_the_picture(gallery: Gallery) -> None:
    event = gallery.programme.published()
    form = gallery.upload(event, jpeg(colour="red"))
    gallery.take()
    post_form(form["uploadUrl"], form["fields"], jpeg(colour="blue"))
    assert gallery.take() == []

    assert gallery.picture(form["imageUrl"]).getpixel((5, 5)) == (254, 0, 0)
    assert gallery.keys("uploads/") == set()


def test_a_file_replaced_before_it_was_looked_at_is_refused(gallery: Gallery) -> None:
    event = gallery.programme.published()
    form = gallery.upload(event, jpeg(colour="red"))
    first = gallery.messages()
    post_form(form["uploadUrl"], form["fields"], jpeg(colour="blue"))

    assert gallery.take(first) == []
    assert "replaced" in gallery.own(event)["imageError"]
    assert gallery.take() == []
    assert gallery.keys() == set()


def test_a_picture_for_an_event_deleted_meanwhile_is_thrown_away(gallery: Gallery) -> None:
    event = gallery.programme.draft()
    gallery.upload(event, jpeg())
    gallery.programme.ask("delete_event", id=event["id"], user=gallery.programme.organizer)

    assert gallery.take() == []
    assert gallery.keys() == set()


def test_messages_that_tell_of_no_upload_are_passed_over(gallery: Gallery) -> None:
    test_event = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": BUCKET}
    file = {"key": "uploads/not+an+id", "eTag": "x", "size": 1}
    stray = {"Records": [{"eventName": "ObjectCreated:Put", "s3": {"object": file}}]}
    unknown = {
        "Records": [
            {"eventName": "ObjectCreated:Post", "s3": {"object": file | {"key": f"uploads/{uuid4()}"}}}
        ]
    }
    removed = {"Records": [{"eventName": "ObjectRemoved:Delete", "s3": {"object": file}}]}

    assert gallery.take([gallery.record(body) for body in (test_event, stray, unknown, removed)]) == []


def test_pictures_that_nobody_sees_are_removed_after_a_while(gallery: Gallery) -> None:
    event, gone = gallery.programme.published(), gallery.programme.draft()
    old = gallery.upload(event, jpeg())
    gallery.take()
    new = gallery.upload(event, jpeg(colour="blue"))
    gallery.upload(gone, jpeg())
    gallery.take()
    gallery.programme.ask("delete_event", id=gone["id"], user=gallery.programme.organizer)
    abandoned = gallery.ask(event).body["imageUrl"]
    assert remove_images.handler({}, context()) == {"handled": 0}, "pages that are open still show it"

    age(gallery, hours=26)
    assert remove_images.handler({}, context()) == {"handled": 3}
    kept = {f"public/{new['imageUrl'].split('/')[3]}/{size}.jpg" for size in ("large", "medium", "small")}
    assert gallery.keys() == kept
    assert old["imageUrl"] not in kept
    assert gallery.own(event)["imageStatus"] == "EXPIRED"
    assert gallery.own(event)["imageUrl"] == new["imageUrl"] != abandoned
    age(gallery, hours=26)
    assert remove_images.handler({}, context()) == {"handled": 1}, "what expired might have had files"
    assert remove_images.handler({}, context()) == {"handled": 0}


def test_uploads_that_nobody_awaits_any_more_are_given_up_past_those_somebody_is_at_work_on(
    gallery: Gallery,
) -> None:
    event = gallery.programme.published()
    for _ in range(3):
        gallery.ask(event)
    at = now() + timedelta(hours=2)

    def give_up(sql: Sql, limit: int) -> int:
        return image_repository.expire(sql, at, at, limit)

    assert sweeping.runs(database, give_up, limit=2) == (2, 1, 0)


def test_an_event_without_a_picture_shows_the_placeholder_that_a_deployment_installs(
    gallery: Gallery,
) -> None:
    install_placeholder.handler({}, context())

    assert gallery.picture(gallery.programme.draft()["imageUrl"]).size == (1600, 900)


def test_while_the_pictures_server_is_out_of_order_every_event_has_a_picture_that_needs_none(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = gallery.programme.published()
    gallery.upload(event, jpeg())
    gallery.take()
    monkeypatch.setattr(PICTURES_SHOWN, "_value", False)
    monkeypatch.setattr(PICTURES_SHOWN, "_good_until", float("inf"))

    assert gallery.own(event)["imageUrl"].startswith("data:image/svg+xml,")


def test_one_run_removes_a_limited_number_of_pictures(gallery: Gallery) -> None:
    event = gallery.programme.published()
    for _ in range(4):
        gallery.upload(event, jpeg())
        gallery.take()
    with database.transaction() as sql:
        assert len(image_repository.unseen(sql, now(), 2)) == 2
        assert len(image_repository.unseen(sql, now(), 9)) == 3
