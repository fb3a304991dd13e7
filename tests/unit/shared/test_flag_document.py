"""The document of flags that a stage begins with, and what AppConfig admits."""

import json
from typing import Any

import jsonschema
import pytest

from cdk import flags
from tests.infrastructure.template import walk


def beginning() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(flags.BEGINNING.read_text())
    return document


def test_a_stage_begins_with_every_flag_at_its_default() -> None:
    assert {name: entry["default"] for name, entry in beginning().items()} == {
        name: flag.default for name, flag in flags.declared().items()
    }


def test_what_a_stage_begins_with_is_admitted() -> None:
    jsonschema.validate(beginning(), flags.schema())


def test_the_schema_is_of_the_draft_that_appconfig_reads() -> None:
    """A later draft's word is refused with the profile, on which every function stands, or passed over in silence."""
    schema = flags.schema()
    assert schema["$schema"] == "http://json-schema.org/draft-04/schema#"
    jsonschema.Draft4Validator.check_schema(schema)
    later = {"const", "contains", "propertyNames", "if", "then", "else", "examples", "$id"}
    assert not later & {key for key, _ in walk(schema)}


@pytest.mark.parametrize(
    "change",
    [
        {"maintenanse": {"default": True}},
        {"maintenance": {"default": "yes"}},
        {"mail_provider_order": {"default": ["pigeon"], "boolean_type": False}},
        {"mail_provider_order": {"default": ["ses"]}},
        {"mail_provider_order": beginning()["mail_provider_order"] | {"boolean_type": True}},
        {"paypal": {"default": False, "rules": {"some": {"when_match": True}}}},
    ],
)
def test_what_no_function_would_understand_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(beginning() | change, flags.schema())


def test_a_share_of_the_users_is_admitted() -> None:
    share = {"action": "MODULO_RANGE", "key": "bucket", "value": {"BASE": 100, "START": 0, "END": 9}}
    rule = {"when_match": True, "conditions": [share]}
    jsonschema.validate(beginning() | {"paypal": {"default": False, "rules": {"10 %": rule}}}, flags.schema())
