"""Where pictures are to be seen."""

import os
from typing import Literal
from uuid import UUID

from functions.events.settings import PICTURES_SHOWN, PLACEHOLDER_IMAGE_URL

Size = Literal["small", "medium", "large"]
PLACEHOLDER = "placeholder.jpg"


def path(upload_id: UUID, size: Size) -> str:
    """Where a picture of an upload lies below the address of all pictures.

    The upload's id is part of it, so that it can be told before there is a picture, and never shows another one: who
    has it in a cache need not ask again.
    """
    return f"{upload_id}/{size}.jpg"


def url(path: str | None) -> str:
    """The address of a picture; a placeholder if there is none, or while pictures cannot be had."""
    if not PICTURES_SHOWN():
        return PLACEHOLDER_IMAGE_URL()
    return f"{os.environ['PICTURES_URL']}/{path or PLACEHOLDER}"
