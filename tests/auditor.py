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
def signed_in(*books: TestDatabase) -> Iterator[None]:
    """Connections are the auditor's, as long as this lasts; it reads each of these databases by its service's name."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in books[0].environment.items():
            environment.setenv(name, value)
        environment.setenv("DATABASE_USER", AUDITOR)
        for database in books:
            environment.setenv(f"DATABASE_NAME_{database.service.upper()}", database.name)
            environment.setenv(f"DATABASE_HOST_{database.service.upper()}", database.postgres.host)
        yield


@contextmanager
def auditor_of(books: list[TestDatabase], extension: Extension) -> Iterator[None]:
    """The auditor on these databases; its settings have their defaults."""
    own = [setting for setting in vars(settings).values() if isinstance(setting, Setting)]
    for setting in own:
        extension.parameters[setting.name] = str(setting.default)
        setting._value = None
    with signed_in(*books):
        auditing.forget()
        try:
            yield
        finally:
            auditing.forget()
            for setting in own:
                setting._value = None
