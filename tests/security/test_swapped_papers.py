"""Papers shown where they do not belong: tokens, links, QR codes, cursors and idempotency keys, swapped and altered."""

import base64
import json
from typing import Any
from uuid import uuid4

import pytest

from tests.e2e.box_office import event_details, order_of, reserve, settled
from tests.e2e.client import PASSWORD, Client, eventually
from tests.e2e.laptop import Laptop
from tests.security.world import World


@pytest.fixture(scope="module")
def world(laptop: Laptop) -> World:
    return World(laptop)


@pytest.fixture(scope="module")
def session(laptop: Laptop) -> dict[str, Any]:
    """The tokens of somebody's session."""
    person = laptop.client.newcomer(first_name="Tessa")
    login = {"email": person.email, "password": PASSWORD}
    tokens: dict[str, Any] = laptop.client.post("/api/auth/login", login).expect(200)
    return tokens


class TestTokens:
    def test_a_refresh_token_is_no_access_token(self, laptop: Laptop, session: dict[str, Any]) -> None:
        Client(laptop.url, session["refreshToken"]).get("/api/auth/profile").expect(401)

    def test_an_access_token_refreshes_nothing(self, laptop: Laptop, session: dict[str, Any]) -> None:
        answer = laptop.client.post("/api/auth/refresh", {"refreshToken": session["accessToken"]})

        assert (answer.status, answer.code) == (401, "INVALID_TOKEN")
        Client(laptop.url, session["accessToken"]).get("/api/auth/profile").expect(200)

    def test_a_token_of_one_kind_of_link_is_none_of_another(self, laptop: Laptop) -> None:
        visitor, email = laptop.client, f"links-{uuid4().hex[:8]}@example.com"
        names = {"firstName": "Lin", "lastName": "Ker", "dateOfBirth": "1990-01-01"}
        visitor.post("/api/auth/register", {"email": email, "password": PASSWORD, **names}).expect(201)
        verifying = visitor.token_mailed_to(email)
        visitor.post("/api/auth/forgot-password", {"email": email}).expect(202)
        resetting = eventually(lambda: newest_token(visitor, email, than=verifying))
        new = {"newPassword": "Another-Horse-8"}

        for token in (verifying, f"{resetting}x", resetting[:-1], resetting.swapcase()):
            refused = visitor.post("/api/auth/reset-password", {"token": token, **new})
            assert (refused.status, refused.code) == (400, "INVALID_TOKEN")
        for token in (resetting, f"{verifying}x", verifying.swapcase()):
            refused = visitor.post("/api/auth/verify-email", {"token": token})
            assert (refused.status, refused.code) == (400, "INVALID_TOKEN")
        for token in (resetting, verifying):
            visitor.get(f"/api/auth/exports/{token}").expect(404)
        visitor.post("/api/auth/verify-email", {"token": verifying}).expect(200)
        visitor.post("/api/auth/verify-email", {"token": verifying}).expect(400)
        visitor.post("/api/auth/reset-password", {"token": resetting, **new}).expect(204)
        visitor.post("/api/auth/reset-password", {"token": resetting, **new}).expect(400)

    def test_an_access_token_with_anything_altered_is_none(
        self, laptop: Laptop, session: dict[str, Any]
    ) -> None:
        head, claims, signature = session["accessToken"].split(".")
        admin = altered(claims, role="ADMIN")
        forged = [
            f"{head}.{admin}.{signature}",
            f"{altered(head, alg='none')}.{admin}.",
            f"{altered(head, alg='HS256')}.{claims}.{signature}",
            f"{altered(head, kid='../../dev/null')}.{claims}.{signature}",
            f"{head}.{altered(claims, exp=2**40)}.{signature}",
            f"{head}.{claims}.{signature[:-4]}AAAA",
            f"{head}.{claims}.{signature}.{signature}",
            f"{head}.{claims}",
        ]
        for token in forged:
            Client(laptop.url, token).get("/api/auth/profile").expect(401)


class TestCodes:
    def test_a_code_with_anything_altered_opens_no_door_and_uses_no_ticket(self, world: World) -> None:
        code = world.unused_qr_code()
        version, kid, payload, signature = code.split(".")
        ids = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
        swapped = base64.urlsafe_b64encode(ids[16:] + ids[:16]).decode().rstrip("=")
        other = world.unused_qr_code().split(".")
        forged = [
            f"BO2.{kid}.{payload}.{signature}",
            f"{version}.other.{payload}.{signature}",
            f"{version}.{kid}.{swapped}.{signature}",
            f"{version}.{kid}.{other[2]}.{signature}",
            f"{version}.{kid}.{payload}.{other[3]}",
            f"{version}.{kid}.{payload}.",
            f"{version}..{payload}.{signature}",
            f"{code}.{signature}",
            code.lower(),
        ]
        for each in forged:
            refused = world.organizer.post("/api/tickets/check-in", {"qrCode": each})
            assert (refused.status, refused.code) == (400, "FORGED"), each
        world.organizer.post("/api/tickets/check-in", {"qrCode": code}).expect(200)
        again = world.organizer.post("/api/tickets/check-in", {"qrCode": code})
        assert (again.status, again.code) == (409, "ALREADY_USED")

    def test_a_code_of_a_refunded_ticket_opens_no_door(self, world: World) -> None:
        bought = settled(world.attendee, order_of(world.attendee, world.show), "PAID")
        [ticket] = bought["tickets"]
        code = world.attendee.get(f"/api/tickets/{ticket['id']}").expect(200)["qrCode"]
        refund = {"orderId": bought["orderId"], "reason": "Ill"}
        world.organizer.post("/api/payments/refund", refund, key=str(uuid4())).expect(202)
        settled(world.attendee, bought["orderId"], "REFUNDED")
        eventually(lambda: world.attendee.get(f"/api/tickets/{ticket['id']}").body["status"] == "VOID")

        refused = world.organizer.post("/api/tickets/check-in", {"qrCode": code})

        assert (refused.status, refused.code) == (409, "VOID")


class TestCursors:
    def test_a_cursor_of_another_list_another_filter_or_another_person_shows_nothing_that_is_not_theirs(
        self, world: World
    ) -> None:
        for _ in range(2):
            world.organizer.post("/api/events", event_details()).expect(201)
            world.attendee.delete(f"/api/tickets/reservations/{world.reservation_id()}").expect(204)
            order_of(world.attendee, world.show)
        lists = {
            "/api/events": world.people["nobody"],
            "/api/events/search?q=gala": world.people["nobody"],
            "/api/events/categories": world.people["nobody"],
            "/api/events/mine": world.organizer,
            f"/api/tickets/types?eventId={world.show.event_id}": world.organizer,
            f"/api/tickets/orders/{world.attendee.user_id}": world.attendee,
            f"/api/payments/orders?eventId={world.show.event_id}": world.organizer,
            "/api/notifications/templates": world.admin,
        }
        cursors = {url: page(who, url)["nextCursor"] for url, who in lists.items()}
        assert sum(cursor is not None for cursor in cursors.values()) >= 5, cursors
        for url, who in lists.items():
            everything = {name_of(item) for item in every_item(who, url)}
            for taken_from, cursor in cursors.items():
                for tried in (cursor, *((cursor[:-2], f"{cursor}AA", cursor[::-1]) if cursor else ())):
                    if tried is None:
                        continue
                    answer = who.get(f"{url}{'&' if '?' in url else '?'}limit=100&cursor={tried}")
                    assert answer.status in (200, 400), (url, taken_from, answer.content)
                    if answer.status == 400:
                        assert [d["field"] for d in answer.body["error"]["details"]] == ["cursor"]
                    else:
                        shown = {name_of(item) for item in answer.body["items"]}
                        assert shown <= everything, (url, taken_from)

    def test_somebody_else_s_cursor_leads_to_one_s_own_orders_only(self, world: World) -> None:
        url = f"/api/tickets/orders/{world.attendee.user_id}"
        cursor = page(world.attendee, url)["nextCursor"]
        other = world.people["another attendee"]

        assert other.get(f"{url}?cursor={cursor}").status == 404
        own = other.get(f"/api/tickets/orders/{other.user_id}?cursor={cursor}").expect(200)
        assert own == {"items": [], "nextCursor": None}


class TestIdempotencyKeys:
    def test_a_key_is_of_one_request_of_one_person(self, world: World) -> None:
        key, body = str(uuid4()), reserve_body(world, 1)
        first = world.attendee.post("/api/tickets/reserve", body, key=key).expect(201)

        again = world.attendee.post("/api/tickets/reserve", body, key=key)
        assert again.expect(201) == first
        assert again.headers["Idempotency-Replayed"] == "true"
        other = world.attendee.post("/api/tickets/reserve", reserve_body(world, 2), key=key)
        assert (other.status, other.code) == (409, "IDEMPOTENCY_CONFLICT")
        stranger = world.people["another attendee"].post("/api/tickets/reserve", body, key=key).expect(201)
        assert stranger["reservationId"] != first["reservationId"]
        elsewhere = {"reservationId": first["reservationId"], "paymentMethod": {"type": "stripe"}}
        assert world.attendee.post("/api/tickets/purchase", elsewhere, key=key).status in (202, 400)

    @pytest.mark.parametrize("key", ["", " ", "x" * 256, "tab\tbed", "schl\u00fcssel"])
    def test_an_odd_key_is_named(self, world: World, key: str) -> None:
        held = reserve(world.attendee, world.show).expect(201)["reservationId"]
        body = {"reservationId": held, "paymentMethod": {"type": "stripe", "token": "pm_card_visa"}}

        refused = world.attendee.post("/api/tickets/purchase", body, key=key)

        assert (refused.status, refused.code) == (400, "VALIDATION_ERROR")
        assert [detail["field"] for detail in refused.body["error"]["details"]] == ["Idempotency-Key"]


def reserve_body(world: World, quantity: int) -> dict[str, Any]:
    items = [{"ticketTypeId": world.show.type_id, "quantity": quantity}]
    return {"eventId": world.show.event_id, "items": items}


def altered(part: str, **changes: Any) -> str:
    """A part of a JSON Web Token with these claims instead."""
    claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return base64.urlsafe_b64encode(json.dumps(claims | changes).encode()).decode().rstrip("=")


def newest_token(visitor: Client, email: str, *, than: str) -> str | None:
    token = visitor.token_mailed_to(email)
    return token if token != than else None


def name_of(item: dict[str, Any]) -> str:
    """What an item of a list is known by."""
    return str(item.get("id") or item.get("orderId") or item["name"])


def page(who: Client, url: str) -> dict[str, Any]:
    found: dict[str, Any] = who.get(f"{url}{'&' if '?' in url else '?'}limit=1").expect(200)
    return found


def every_item(who: Client, url: str) -> list[Any]:
    items: list[Any] = []
    cursor = None
    while True:
        more = f"&cursor={cursor}" if cursor else ""
        answer = who.get(f"{url}{'&' if '?' in url else '?'}limit=100{more}").expect(200)
        items += answer["items"]
        cursor = answer["nextCursor"]
        if cursor is None:
            return items
