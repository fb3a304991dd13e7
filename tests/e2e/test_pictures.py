"""Pictures of events, from the form to what a browser shows."""

from typing import Any

from tests.e2e.box_office import publish
from tests.e2e.client import Client, eventually
from tests.e2e.laptop import Laptop
from tests.gallery import jpeg, opened, post_form


def form(organizer: Client, event_id: str, content: bytes) -> dict[str, Any]:
    body = {"contentType": "image/jpeg", "size": len(content)}
    asked: dict[str, Any] = organizer.post(f"/api/events/{event_id}/image", body).expect(200)
    return asked


def at(laptop: Laptop, url: str) -> Any:
    """What a browser gets at the address of a picture."""
    assert url.startswith(laptop.url)
    return laptop.client.get(url.removeprefix(laptop.url))


def test_an_uploaded_picture_is_shown_and_a_placeholder_until_then(laptop: Laptop) -> None:
    organizer = laptop.client.newcomer("ORGANIZER")
    event_id = publish(organizer).event_id
    before = organizer.get(f"/api/events/{event_id}").expect(200)["imageUrl"]
    assert opened(at(laptop, before).content).size == (1600, 900)
    content = jpeg((1000, 500))

    asked = form(organizer, event_id, content)
    missing = at(laptop, asked["imageUrl"])
    assert missing.status == 404
    assert opened(missing.content).size == (1600, 900), "a picture all the same"
    assert post_form(asked["uploadUrl"], asked["fields"], content) == 204

    def typed() -> Any:  # moto shows an object a moment before its headers
        found = at(laptop, asked["imageUrl"])
        return found.status == 200 and found.headers["Content-Type"] == "image/jpeg" and found

    shown = eventually(typed)
    assert opened(shown.content).size == (800, 400)
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    own = f"/api/events/mine/{event_id}"
    eventually(lambda: organizer.get(own).expect(200)["imageStatus"] == "SHOWN")
    public = f"/api/events/{event_id}"
    eventually(lambda: organizer.get(public).expect(200)["imageUrl"] == asked["imageUrl"])


def test_the_bucket_takes_nothing_but_what_was_asked_for(laptop: Laptop) -> None:
    organizer = laptop.client.newcomer("ORGANIZER")
    event_id = publish(organizer).event_id
    content = jpeg()
    asked = form(organizer, event_id, content)
    url, fields = asked["uploadUrl"], asked["fields"]

    assert post_form(url, fields, content + b"x") == 400, "larger"
    assert post_form(url, fields | {"key": "public/placeholder.jpg"}, content) == 403, "elsewhere"
    assert post_form(url, fields | {"Content-Type": "text/html"}, content) == 403, "as something else"
    upload = fields["key"].removeprefix("uploads/")
    assert at(laptop, f"{laptop.url}/_local/pictures/../uploads/{upload}").status == 404


def test_a_file_that_is_no_picture_is_refused_with_a_reason(laptop: Laptop) -> None:
    organizer = laptop.client.newcomer("ORGANIZER")
    event_id = publish(organizer).event_id
    content = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"
    asked = form(organizer, event_id, content)
    assert post_form(asked["uploadUrl"], asked["fields"], content) == 204

    own = f"/api/events/mine/{event_id}"
    refused = eventually(
        lambda: (found := organizer.get(own).expect(200))["imageStatus"] == "REFUSED" and found
    )
    assert refused["imageError"] == "This is not a JPEG, PNG or WebP picture"
