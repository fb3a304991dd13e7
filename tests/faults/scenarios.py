"""What people do while things break, each in a story of its own, told to the end that it must have."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

from tests.e2e.box_office import Show, event_details, ticket_type
from tests.e2e.client import PASSWORD, Client, eventually
from tests.faults.proving_ground import ProvingGround, insist
from tests.gallery import jpeg, post_form

PATIENCE_SECONDS = 240
ANY_END = frozenset({"PAID", "CANCELLED", "REFUNDED"})


@dataclass
class World:
    """The people of all stories.

    `ends` is what an order may end with, where a story's own end cannot be had because a task fails for good.
    """

    ground: ProvingGround
    organizer: Client
    buyer: Client
    ends: frozenset[str] = frozenset()

    @classmethod
    def of(cls, ground: ProvingGround) -> "World":
        visitor = ground.visitor
        return cls(ground, visitor.newcomer("ORGANIZER", "Otto"), visitor.newcomer(first_name="Nora"))

    def show(self, **details: object) -> Show:
        """A published event with a hundred seats, of a story's own."""
        ask = self.organizer.post
        event = insist(lambda: ask("/api/events", event_details(**details)), 201)
        kind = insist(lambda: ask("/api/tickets/types", ticket_type(event["id"], perPersonLimit=100)), 201)
        insist(lambda: ask(f"/api/events/{event['id']}/publish"), 200, 409)
        return Show(event["id"], kind["id"], self.organizer)

    def hold(self, show: Show) -> str:
        """A reservation, however often it has to be asked for."""
        body = {"eventId": show.event_id, "items": [{"ticketTypeId": show.type_id, "quantity": 1}]}
        key = str(uuid4())

        def ask() -> Any:
            answer = self.buyer.post("/api/tickets/reserve", body, key=key)
            # Another process may not have heard of the event yet.
            return None if answer.status in (404, 409, 429, 500, 502, 503, 504) else answer.expect(201)

        return str(eventually(ask, PATIENCE_SECONDS)["reservationId"])

    def buy(self, show: Show, token: str | None = "pm_card_visa") -> str:
        """An order; None pays with PayPal."""
        method = {"type": "stripe", "token": token} if token else {"type": "paypal"}
        body, key = {"reservationId": self.hold(show), "paymentMethod": method}, str(uuid4())
        accepted = insist(
            lambda: self.buyer.post("/api/tickets/purchase", body, key=key), 202, seconds=PATIENCE_SECONDS
        )
        return str(accepted["orderId"])

    def becomes(self, order_id: str, *wanted: str) -> dict[str, Any]:
        """The order, once it has this status, or has ended otherwise where that is allowed."""

        def look() -> dict[str, Any] | None:
            answer = self.buyer.get(f"/api/payments/orders/{order_id}")
            if answer.status != 200:
                return None
            found: dict[str, Any] = answer.body
            return found if found["paymentStatus"] in {*wanted, *self.ends} else None

        try:
            return eventually(look, PATIENCE_SECONDS)
        except AssertionError as late:
            now = self.buyer.get(f"/api/payments/orders/{order_id}")
            raise AssertionError(f"order {order_id} should be {wanted} and is {now.content!r}") from late

    def is_over(self, order: dict[str, Any], *wanted: str) -> bool:
        """Whether the order ended otherwise than its story wanted."""
        return order["paymentStatus"] not in wanted

    def mailed(self, order: dict[str, Any], subject: str) -> None:
        """Wait for the mail about this order with these words in its subject."""
        number = order["orderNumber"]

        def find() -> bool:
            mails = self.ground.visitor.mails_to(str(self.buyer.email))
            return any(number in mail["text"] and subject in mail["subject"] for mail in mails)

        try:
            eventually(find, PATIENCE_SECONDS)
        except AssertionError as lost:
            raise AssertionError(f"no mail '{subject}' about order {order['orderId']}") from lost


def paid(world: World) -> None:
    """A card is charged, the tickets come, and their mail."""
    order = world.becomes(world.buy(world.show()), "PAID")
    world.mailed(order, "tickets" if order["paymentStatus"] == "PAID" else "")


def paid_with_another_card(world: World) -> None:
    """The first card is declined, the second is charged."""
    order_id = world.buy(world.show(), "pm_card_chargeDeclined")
    if world.is_over(world.becomes(order_id, "PAYMENT_FAILED"), "PAYMENT_FAILED"):
        return
    body = {"orderId": order_id, "paymentMethod": {"type": "stripe", "token": "pm_card_visa"}}
    key = str(uuid4())
    insist(lambda: world.buyer.post("/api/payments/process", body, key=key), 202, 409)
    world.becomes(order_id, "PAID")


def authenticated(world: World) -> None:
    """The buyer's bank asks the buyer, and Stripe tells of it."""
    order_id = world.buy(world.show(), "pm_card_authenticationRequired")
    order = world.becomes(order_id, "REQUIRES_ACTION")
    if not world.is_over(order, "REQUIRES_ACTION"):
        authenticate(world, order)
        world.becomes(order_id, "PAID")


def approved_at_paypal(world: World) -> None:
    """The buyer approves on PayPal's page, and PayPal tells of it."""
    order_id = world.buy(world.show(), None)
    order = world.becomes(order_id, "REQUIRES_ACTION")
    if not world.is_over(order, "REQUIRES_ACTION"):
        payment = order["approvalUrl"].split("token=")[1].split("&")[0]
        step = {"outcome": "succeed", "funding": "balance"}
        world.buyer.post(f"/_local/payments/{payment}/authenticate", step).expect(200)
        world.becomes(order_id, "PAID")


def refunded(world: World) -> None:
    """The organizer gives the money back."""
    show = world.show()
    order = world.becomes(world.buy(show), "PAID")
    if world.is_over(order, "PAID"):
        return
    body, key = {"orderId": order["orderId"], "reason": "asked kindly"}, str(uuid4())
    insist(lambda: world.organizer.post("/api/payments/refund", body, key=key), 202, 409)
    world.becomes(order["orderId"], "REFUNDED")
    world.mailed(order, "efund")


def called_off(world: World) -> None:
    """An event is called off: who has paid gets the money back, who has not is let go."""
    show = world.show()
    bought, waiting = world.buy(show), world.buy(show, "pm_card_chargeDeclined")
    world.becomes(bought, "PAID")
    world.becomes(waiting, "PAYMENT_FAILED")
    call_off(world, show)
    world.becomes(bought, "REFUNDED")
    world.becomes(waiting, "CANCELLED")


def paid_for_nothing(world: World) -> None:
    """An event is called off while an order of it is being paid: its money is there, and goes back."""
    show = world.show()
    order = world.becomes(world.buy(show, "pm_card_authenticationRequired"), "REQUIRES_ACTION")
    if world.is_over(order, "REQUIRES_ACTION"):
        return
    # Tickets has heard of it, payments has not yet: between two messages. What comes late of before is older.
    world.ground.ask(
        "tickets",
        "UPDATE event_copies SET status = 'CANCELLED', version = version + 1"
        f" WHERE event_id = '{show.event_id}'",
    )
    authenticate(world, order)
    world.becomes(order["orderId"], "REFUNDED")
    call_off(world, show)


def given_up(world: World) -> None:
    """Seats are held and never bought."""
    reservation = world.hold(world.show())
    world.ground.ask(
        "tickets",
        "UPDATE ticket_reservations SET reserved_until = now() - interval '1 s'"
        f" WHERE reservation_id = '{reservation}' AND status = 'HELD'",
    )
    eventually(
        lambda: (
            not world.ground.ask(
                "tickets",
                f"SELECT id FROM ticket_reservations WHERE reservation_id = '{reservation}' AND status = 'HELD'",
            )
        ),
        PATIENCE_SECONDS,
    )


def exported(world: World) -> None:
    """Somebody new registers, by a link in a mail, and has everything sent that is held on them."""
    visitor = world.ground.visitor
    email = f"eve-{uuid4().hex[:10]}@example.com"
    person = {"email": email, "password": PASSWORD, "firstName": "Eve", "lastName": "Newcomer"}
    details = {**person, "dateOfBirth": "1991-02-03", "accountType": "ATTENDEE"}
    insist(lambda: visitor.post("/api/auth/register", details), 201, 409)
    token = eventually(partial(_token_mailed, visitor, email), PATIENCE_SECONDS)
    insist(lambda: visitor.post("/api/auth/verify-email", {"token": token}), 200)
    paper = {"email": email, "password": PASSWORD}
    entered = insist(lambda: visitor.post("/api/auth/login", paper), 200)
    eve = Client(visitor.url, entered["accessToken"], entered["user"]["userId"], email)
    insist(lambda: eve.post("/api/auth/profile/export"), 202, 409)
    eventually(
        lambda: any("/api/auth/exports/" in mail["text"] for mail in visitor.mails_to(email)),
        PATIENCE_SECONDS,
    )


def delivered(world: World) -> None:
    """SES tells that a mail arrived."""
    visitor = world.ground.visitor
    mail = visitor.mails_to(str(world.buyer.email))[0]
    visitor.post(f"/_local/emails/{mail['id']}/deliver").expect(202)


def illustrated(world: World) -> None:
    """An event gets a picture, and another one in its place."""
    show = world.show()
    for colour in ("red", "blue"):
        content = jpeg((640, 360), colour)
        body = {"contentType": "image/jpeg", "size": len(content)}
        path = f"/api/events/{show.event_id}/image"
        asked = insist(partial(world.organizer.post, path, body), 200)
        assert post_form(asked["uploadUrl"], asked["fields"], content) == 204
        eventually(partial(_shows, world, show.event_id, asked["imageUrl"]), PATIENCE_SECONDS)


def past(world: World) -> None:
    """An event is over."""
    show = world.show()
    long_ago = (datetime.now(UTC) - timedelta(days=3)).isoformat()
    world.ground.ask("events", f"UPDATE events SET event_date = '{long_ago}' WHERE id = '{show.event_id}'")
    asked = f"SELECT id FROM events WHERE id = '{show.event_id}' AND status = 'COMPLETED'"
    eventually(lambda: world.ground.ask("events", asked), PATIENCE_SECONDS)


def audited(world: World) -> None:
    """Somebody looks into the books, again and again."""
    for _ in range(4):
        world.ground.run_job("platform-job-audit")


def authenticate(world: World, order: dict[str, Any]) -> None:
    intent = order["clientSecret"].split("_secret_")[0]
    world.buyer.post(f"/_local/payments/{intent}/authenticate", {"outcome": "succeed"}).expect(200)


def call_off(world: World, show: Show) -> None:
    path, reason = f"/api/events/{show.event_id}/cancel", {"reason": "The singer is ill"}
    insist(lambda: world.organizer.post(path, reason), 202, 409)


def _token_mailed(visitor: Client, email: str) -> str | None:
    texts = [mail["text"] for mail in visitor.mails_to(email)]
    return next((text.split("token=")[1].split()[0] for text in texts if "token=" in text), None)


def _shows(world: World, event_id: str, url: str) -> bool:
    answer = world.organizer.get(f"/api/events/mine/{event_id}")
    return answer.status == 200 and answer.body["imageUrl"] == url and answer.body["imageStatus"] == "SHOWN"
