"""What admins may do with mails and templates, and what a user may ask."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from functions.notifications import by_hand, samples, templates
from functions.notifications.consumers import mail
from functions.notifications.database import database
from functions.notifications.routes import create_template, health, list_templates, send, status
from shared.clock import now
from shared.identity import Role
from tests.databases import TestDatabase
from tests.integration.notifications.conftest import Post
from tests.support import a_user, call

ADMIN = a_user(Role.ADMIN)
GREETING = {
    "name": "greeting",
    "subject": "Hello {{ firstName }}",
    "htmlContent": "<p>Hello {{ firstName }}, {{ word }}</p>",
    "textContent": "Hello {{ firstName }}, {{ word }}",
}


def send_mail(**body: Any) -> Any:
    return call(send.handler, "POST", "/api/notifications/send", body=body, user=ADMIN)


def save_template(**changes: Any) -> Any:
    body = GREETING | changes
    return call(create_template.handler, "POST", "/api/notifications/templates", body=body, user=ADMIN)


class TestSending:
    def test_an_admin_mails_a_user(self, post: Post, ada: UUID) -> None:
        save_template()

        reply = send_mail(templateName="greeting", userId=str(ada), data={"word": "<welcome>"})

        assert reply.status == 202
        assert post.forward(mail.handler, "mail")
        [sent] = post.sent()
        assert (sent["To"], sent["Subject"]) == ("ada@example.com", "Hello Ada")
        html = sent.get_body(("html",))
        assert html is not None
        assert "&lt;welcome&gt;" in html.get_content()
        shown = call(
            status.handler, "GET", f"/api/notifications/status/{reply.body['notificationId']}", user=ADMIN
        )
        assert (shown.body["status"], shown.body["deliveryStatus"]) == ("SENT", "SENT")
        assert shown.body["sentAt"].endswith("Z")

    def test_an_admin_mails_an_address_that_is_nobodys(self, post: Post) -> None:
        save_template()

        reply = send_mail(
            templateName="greeting", recipientEmail="eve@example.com", data={"word": "x", "firstName": "Eve"}
        )

        assert reply.status == 202
        assert post.forward(mail.handler, "mail")
        assert [m["To"] for m in post.sent()] == ["eve@example.com"]

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"templateName": "nothing-like-it"}, "templateName"),
            ({"data": {}}, "data"),
            ({"data": {"word": "x" * 200_000}}, "data"),
            ({"recipientEmail": None, "userId": str(uuid4())}, "userId"),
            ({"recipientEmail": "nobody"}, "recipientEmail"),
            ({"recipientEmail": "a@example.com\nBcc: b@example.com"}, "recipientEmail"),
            ({"colour": "red"}, "colour"),
        ],
    )
    def test_what_cannot_be_sent_is_refused_by_its_field(
        self, post: Post, body: dict[str, Any], field: str
    ) -> None:
        save_template()
        good = {"templateName": "greeting", "recipientEmail": "eve@example.com", "data": {"word": "x"}}

        reply = send_mail(**(good | body))

        assert (reply.status, reply.fields) == (400, {field})

    def test_a_number_in_the_data_that_cannot_be_kept_is_refused_by_its_field(self, post: Post) -> None:
        save_template()
        body = '{"templateName": "greeting", "recipientEmail": "eve@example.com", "data": {"word": 1e400}}'

        reply = call(send.handler, "POST", "/api/notifications/send", raw_body=body, user=ADMIN)

        assert (reply.status, reply.fields) == (400, {"data.word"})

    def test_either_a_user_or_an_address_is_needed(self, post: Post, ada: UUID) -> None:
        assert send_mail(templateName="greeting").status == 400
        both = send_mail(templateName="greeting", userId=str(ada), recipientEmail="eve@example.com")
        assert both.status == 400

    def test_the_same_key_sends_once(self, post: Post) -> None:
        save_template()
        body = {"templateName": "greeting", "recipientEmail": "eve@example.com", "data": {"word": "x"}}

        replies = [
            call(
                send.handler,
                "POST",
                "/api/notifications/send",
                body=body,
                user=ADMIN,
                headers={"Idempotency-Key": "once"},
            )
            for _ in range(2)
        ]

        assert replies[0].body == replies[1].body
        assert replies[1].headers["Idempotency-Replayed"] == "true"

    @pytest.mark.parametrize("role", [Role.ATTENDEE, Role.ORGANIZER])
    def test_nobody_else_may(self, post: Post, role: Role) -> None:
        reply = call(send.handler, "POST", "/api/notifications/send", body={}, user=a_user(role))

        assert reply.status == 403

    def test_a_user_who_is_erased_while_it_is_tried_out_is_none(
        self, ada: UUID, notifications_db: TestDatabase, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        save_template()
        try_out = by_hand._try_out

        def slowly(*given: Any) -> None:
            try_out(*given)
            notifications_db.run("INSERT INTO erased_users VALUES (%(id)s, now())", id=ada)

        monkeypatch.setattr(by_hand, "_try_out", slowly)
        reply = send_mail(templateName="greeting", userId=str(ada), data={"word": "Hello"})
        assert (reply.status, reply.fields) == (400, {"userId"})


class TestStatus:
    def test_a_user_sees_their_own_and_nobody_elses(self, post: Post, ada: UUID) -> None:
        save_template()
        id = send_mail(templateName="greeting", userId=str(ada), data={"word": "x"}).body["notificationId"]
        path = f"/api/notifications/status/{id}"

        own = call(status.handler, "GET", path, user=a_user(id=ada))
        other = call(status.handler, "GET", path, user=a_user(Role.ORGANIZER))

        assert (own.status, own.body["status"], own.body["sentAt"]) == (200, "PENDING", None)
        assert other.status == 404

    def test_an_unknown_mail_is_not_found(self, post: Post) -> None:
        assert call(status.handler, "GET", f"/api/notifications/status/{uuid4()}", user=ADMIN).status == 404
        assert call(status.handler, "GET", "/api/notifications/status/x", user=ADMIN).status == 400


class TestTemplates:
    def test_a_new_one_is_created_and_the_next_one_of_its_name_replaces_it(self, post: Post) -> None:
        first = save_template()
        second = save_template(subject="Good day")

        assert (first.status, second.status) == (201, 200)
        assert first.body["id"] == second.body["id"]
        assert second.body["subject"] == "Good day"
        assert second.body["builtIn"] is False

    @pytest.mark.parametrize(
        ("part", "text"),
        [
            ("subject", "Hello {{ firstName"),
            ("htmlContent", "{% if x %}never closed"),
            ("textContent", "{{ firstName | no_such_filter }}"),
            ("htmlContent", "{{ ''.__class__.__mro__[1].__subclasses__() }}"),
            ("htmlContent", "{{ self.__init__.__globals__ }}"),
            ("htmlContent", "{{ later.__init__.__globals__ }}"),
            ("textContent", "{{ later['__class__'] }}"),
            ("textContent", "{{ later|attr('__class__') }}"),
            ("subject", "{% if false %}{{ cycler.__init__.__globals__.os }}{% endif %}"),
            ("textContent", "{% include '/etc/passwd' %}"),
            ("textContent", "{{ 1 / 0 }}"),
        ],
    )
    def test_one_that_does_not_render_is_refused_by_its_part(
        self, post: Post, notifications_db: TestDatabase, part: str, text: str
    ) -> None:
        reply = save_template(**{part: text})

        assert (reply.status, reply.fields) == (400, {part})
        assert notifications_db.one("SELECT 1 FROM notification_templates WHERE name = 'greeting'") is None

    def test_every_part_that_is_wrong_is_named(self, post: Post) -> None:
        reply = save_template(subject="{{", htmlContent="{{", textContent="{{")

        assert reply.fields == {"subject", "htmlContent", "textContent"}

    def test_one_of_our_own_may_not_ask_for_what_its_mail_is_not_given(self, post: Post) -> None:
        reply = save_template(name="verify-email", htmlContent="{{ token }}", textContent="{{ orderNumber }}")

        assert (reply.status, reply.fields) == (400, {"textContent"})

    def test_an_admins_text_of_one_of_our_own_stays(self, post: Post) -> None:
        mine = {"subject": "Prove it", "htmlContent": "{{ token }}", "textContent": "{{ token }}"}
        save_template(name="verify-email", **mine)

        listed = call(list_templates.handler, "GET", "/api/notifications/templates", user=ADMIN)

        [found] = [item for item in listed.body["items"] if item["name"] == "verify-email"]
        assert (found["subject"], found["builtIn"]) == ("Prove it", False)

    def test_an_admins_text_stays_that_is_saved_while_ours_is_brought_up_to_date(
        self, notifications_db: TestDatabase
    ) -> None:
        save_template(
            name="verify-email", subject="Mine", htmlContent="{{ token }}", textContent="{{ token }}"
        )
        with database.transaction() as sql:
            row = templates._install(sql, "verify-email", now())
        assert row is not None
        assert (row["subject"], row["built_in_sha256"]) == ("Mine", None)

    def test_an_older_text_of_ours_is_brought_up_to_date(
        self, post: Post, notifications_db: TestDatabase
    ) -> None:
        path = "/api/notifications/templates"
        call(list_templates.handler, "GET", path, user=ADMIN)
        notifications_db.run(
            "UPDATE notification_templates SET subject = 'Old', built_in_sha256 = repeat('0', 64)"
        )

        listed = call(list_templates.handler, "GET", path, user=ADMIN)

        assert [item for item in listed.body["items"] if item["subject"] == "Old"] == []

    def test_they_are_listed_page_by_page(self, post: Post) -> None:
        names: list[str] = []
        cursor = None
        while True:
            query = {"limit": 3} | ({"cursor": cursor} if cursor else {})
            page = call(
                list_templates.handler, "GET", "/api/notifications/templates", user=ADMIN, query=query
            )
            names += [item["name"] for item in page.body["items"]]
            cursor = page.body["nextCursor"]
            if cursor is None:
                break

        assert names == sorted(samples.BUILT_IN)
        assert {"order-confirmation", "event-cancelled", "verify-email"} <= set(names)

    def test_only_admins_see_them(self, post: Post) -> None:
        listed = call(
            list_templates.handler, "GET", "/api/notifications/templates", user=a_user(Role.ORGANIZER)
        )

        assert listed.status == 403


def test_the_service_says_how_it_is(notifications_db: TestDatabase) -> None:
    reply = call(health.handler, "GET", "/api/health/notifications")

    assert (reply.status, reply.body["dependencies"]) == (200, {"database": "ok"})
