"""`/_local/`: what a developer looks at, and the pages behind links in mails."""

import re

from tests.e2e.client import Client


def test_the_console_is_one_page_that_fetches_nothing_from_elsewhere(visitor: Client) -> None:
    page = visitor.get("/_local/")
    assert page.status == 200
    assert page.headers["Content-Type"].startswith("text/html")
    assert not re.findall(rb"""(?:src|href)=["']?https?:|@import|url\(""", page.content)


def test_the_console_shows_mails_queues_functions_and_orders(visitor: Client) -> None:
    overview = visitor.get("/_local/overview").expect(200)
    assert set(overview) == {"mails", "orders", "states", "queues", "functions", "payments", "faults"}
    assert "box-office-dev-mail" in [queue["name"] for queue in overview["queues"]]
    assert all(queue["dead"] == 0 for queue in overview["queues"])
    assert "AwaitPayment" in overview["states"]


def test_mails_are_listed_newest_first_for_one_address(visitor: Client) -> None:
    nora = visitor.newcomer()
    assert nora.email is not None
    visitor.post("/api/auth/forgot-password", {"email": nora.email}).expect(202)
    visitor.newcomer(first_name="Somebody")
    for _ in range(100):
        mails = visitor.mails_to(nora.email)
        if len(mails) == 2:
            break
    assert [mail["to"] for mail in mails] == [nora.email, nora.email]
    assert mails[0]["sentAt"] > mails[1]["sentAt"]
    assert all(mail["subject"] and mail["text"] and mail["html"] for mail in mails)


def test_links_in_mails_lead_to_a_page(visitor: Client) -> None:
    nora = visitor.newcomer()
    assert nora.email is not None
    link = re.search(r"https?://\S+/verify-email\?token=\S+", visitor.mails_to(nora.email)[0]["text"])
    assert link is not None
    assert link[0].startswith(visitor.url)
    page = visitor.get(link[0].removeprefix(visitor.url))
    assert page.status == 200
    assert b"/api/auth/verify-email" in page.content
    assert visitor.get("/reset-password?token=x").status == 200
    assert visitor.get("/orders/3f0f7f3c-0000-4000-8000-000000000000").status == 200


def test_faults_are_taken_listed_and_cleared(visitor: Client) -> None:
    wanted = [
        {"target": "box-office-dev-tickets-saga-issue", "mode": "error", "times": 2},
        {"target": "stripe", "mode": "slow", "times": 1},
        {"target": "ses", "mode": "error", "times": 1},
    ]
    visitor.put("/_local/faults", wanted).expect(200)
    pending = visitor.get("/_local/faults").expect(200)
    assert sorted((fault["target"], fault["mode"], fault["times"]) for fault in pending) == sorted(
        (fault["target"], fault["mode"], fault["times"]) for fault in wanted
    )
    assert visitor.delete("/_local/faults").status == 204
    assert visitor.get("/_local/faults").expect(200) == []


def test_faults_may_be_added_to_those_there_are(visitor: Client) -> None:
    visitor.put("/_local/faults", [{"target": "stripe", "mode": "slow"}]).expect(200)
    more = [{"target": "box-office-dev-mail-queue", "mode": "duplicate"}]
    pending = visitor.post("/_local/faults", more).expect(200)
    assert sorted(fault["target"] for fault in pending) == ["box-office-dev-mail-queue", "stripe"]
    assert visitor.delete("/_local/faults").status == 204


def test_a_fault_for_nobody_is_refused(visitor: Client) -> None:
    assert visitor.put("/_local/faults", [{"target": "nobody", "mode": "error"}]).code == "VALIDATION_ERROR"
    assert visitor.put("/_local/faults", [{"target": "stripe", "mode": "laugh"}]).code == "VALIDATION_ERROR"
    assert visitor.get("/_local/faults").expect(200) == []


def test_an_unknown_order_has_no_execution(visitor: Client) -> None:
    answer = visitor.get("/_local/executions", orderId="3f0f7f3c-0000-4000-8000-000000000000")
    assert (answer.status, answer.code) == (404, "NOT_FOUND")


def test_what_is_not_there_answers_in_the_shape_of_the_api(visitor: Client) -> None:
    assert visitor.get("/_local/nothing").code == "NOT_FOUND"
    assert (
        visitor.post("/_local/payments/pi_nothing/authenticate", {"outcome": "succeed"}).code == "NOT_FOUND"
    )
