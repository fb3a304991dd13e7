"""An error about data does not show the data: it may end up in a log, and the data may be somebody's password."""

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from functions.auth.models import LoginRequest, SignedIn
from shared.contracts import PasswordResetRequested

SECRET = "Correct-Horse-7"


@pytest.mark.parametrize(
    ("model", "field"),
    [(LoginRequest, "password"), (PasswordResetRequested, "token"), (SignedIn, "refreshToken")],
    ids=["a request", "a message", "an answer"],
)
def test_what_was_wrong_is_named_and_not_shown(model: type[BaseModel], field: str) -> None:
    data: dict[str, Any] = {field: [SECRET], "more": SECRET}
    with pytest.raises(ValidationError) as refused:
        model.model_validate(data)
    assert field in str(refused.value)
    assert SECRET not in str(refused.value)
    assert SECRET not in repr(refused.value)
