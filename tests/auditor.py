"""The auditor, signed in to a test's databases."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from functions.platform import settings
from functions.platform.audit import auditing
from functions.platform.auditor_rights import AUDITOR
from shared.settings import Setting
from tests.cloud import Extension
from tests.databases import TestDatabase


@contextmanager
def auditor_of(books: dict[str, TestDatabase], extension: Extension) -> Iterator[None]:
    """Let the auditor read these databases, by service, as the role that it has; its settings have their defaults."""
    server = books["tickets"].postgres
    for setting in vars(settings).values():
        if isinstance(setting, Setting):
            extension.parameters[setting.name] = str(setting.default)
            setting._value = None
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DATABASE_HOST", server.host)
        environment.setenv("DATABASE_PORT", str(server.port))
        environment.setenv("DATABASE_USER", AUDITOR)
        for service, database in books.items():
            environment.setenv(f"DATABASE_NAME_{service.upper()}", database.name)
        auditing.forget()
        try:
            yield
        finally:
            auditing.forget()
            for setting in vars(settings).values():
                if isinstance(setting, Setting):
                    setting._value = None
