"""An operator's commands: the first administrator, and the next signing key."""

from tests.e2e.client import Client
from tests.e2e.laptop import Laptop
from tests.e2e.operators import invoke


def test_the_first_administrator_is_made_by_a_command(laptop: Laptop, visitor: Client) -> None:
    person = visitor.newcomer(first_name="Adele")
    assert person.email is not None
    assert person.get("/api/notifications/templates").code == "FORBIDDEN"

    error, answer = invoke(laptop, "auth-job-grant-role", {"email": person.email, "role": "ADMIN"})

    assert (error, answer) == (None, {"handled": 1})
    assert person.get("/api/auth/profile").status == 401, "the session that named the old role is over"
    admin = visitor.signed_in(person.email)
    assert admin.get("/api/auth/profile").expect(200)["role"] == "ADMIN"
    admin.get("/api/notifications/templates").expect(200)


def test_a_role_for_nobody_is_an_error(laptop: Laptop) -> None:
    error, answer = invoke(
        laptop, "auth-job-grant-role", {"email": "nobody-at-all@example.com", "role": "ADMIN"}
    )

    assert error is not None
    assert answer["errorType"] == "NotFound"


def test_the_next_signing_keys_are_published_by_a_command_and_not_used_too_early(
    laptop: Laptop, visitor: Client
) -> None:
    for service, route in (("auth", "/.well-known/jwks.json"), ("tickets", "/.well-known/ticket-keys.json")):
        (old,) = visitor.get(route).expect(200)["keys"]

        assert invoke(laptop, f"{service}-job-rotate-signing-keys", {"step": "publish"}) == (
            None,
            {"handled": 1},
        )

        assert len(visitor.get(route).expect(200)["keys"]) == 2
        assert visitor.get(route).body["keys"][0] == old
        error, answer = invoke(laptop, f"{service}-job-rotate-signing-keys", {"step": "use"})
        assert (error is not None, answer["errorType"]) == (True, "NotDue")
        assert answer["errorMessage"].startswith("Not before 2")
    assert visitor.newcomer().get("/api/auth/profile").status == 200
