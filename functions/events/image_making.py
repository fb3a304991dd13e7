"""Making pictures: of whatever was uploaded, clean JPEGs in the sizes that are shown.

Nothing of the file goes into them but what is to be seen: they are drawn anew, without EXIF (where the picture was
taken and with what), comments, thumbnails, and whatever else lies in the file or behind its end.
"""

import io
import warnings
from typing import TYPE_CHECKING

from functions.events.image_addresses import Size
from functions.events.settings import (
    IMAGE_LARGE_PIXELS,
    IMAGE_MAX_PIXELS,
    IMAGE_MEDIUM_PIXELS,
    IMAGE_QUALITY,
    IMAGE_SMALL_PIXELS,
)

if TYPE_CHECKING:
    from PIL.Image import Image

# What Pillow calls the types that are admitted. An MPO is a JPEG with further pictures behind it, as some phones make.
FORMATS = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
PLACEHOLDER_SIZE = (1600, 900)
TALLEST = 4
"""How often its width a picture may be high, and the other way round: what is longer could not be shown."""


class Unfit(Exception):
    """No picture can be made of the file; `reason` is for the organizer."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def pictures(content: bytes, announced: str) -> dict[Size, bytes]:
    """The pictures to show, as JPEGs; a smaller one is never made larger.

    Raises:
        Unfit: it is not a picture of the announced type, is broken, or has more pixels than `image_max_pixels`.
    """
    image = _upright(_opened(content, announced))
    widths: dict[Size, int] = {
        "large": IMAGE_LARGE_PIXELS(),
        "medium": IMAGE_MEDIUM_PIXELS(),
        "small": IMAGE_SMALL_PIXELS(),
    }
    made: dict[Size, bytes] = {}
    for size, width in widths.items():
        image.thumbnail((width, width * TALLEST))
        made[size] = _jpeg(image)
    return made


def placeholder() -> bytes:
    """The picture of an event that has none: an empty stage under a spotlight."""
    from PIL import Image, ImageDraw

    width, height = PLACEHOLDER_SIZE
    image = Image.new("RGB", PLACEHOLDER_SIZE, "#2b3140")
    draw = ImageDraw.Draw(image)
    draw.polygon([(width * 0.5, -40), (width * 0.28, height * 0.8), (width * 0.72, height * 0.8)], "#3d4558")
    draw.rectangle((0, height * 0.8, width, height), "#1d212c")
    draw.ellipse((width * 0.28, height * 0.76, width * 0.72, height * 0.86), "#d8dee9")
    return _jpeg(image)


def _opened(content: bytes, announced: str) -> "Image":
    """The file as Pillow reads its beginning, which tells type and size."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of sizes: they are looked at here, before anything is unpacked
        try:
            image: Image.Image = Image.open(io.BytesIO(content), formats=("JPEG", "PNG", "WEBP"))
        except Exception as broken:
            raise Unfit("This is not a JPEG, PNG or WebP picture") from broken
    found = FORMATS.get(image.format or "")
    if found != announced:
        raise Unfit(f"This is {found}, but {announced} was announced")
    width, height = image.size
    if width * height > IMAGE_MAX_PIXELS():
        raise Unfit(
            f"A picture may have at most {IMAGE_MAX_PIXELS():,} pixels; this one has {width} × {height}"
        )
    if max(width, height) > TALLEST * min(width, height):
        raise Unfit(f"A picture may be at most {TALLEST} times as long as it is wide")
    return image


def _upright(image: "Image") -> "Image":
    """The (first) picture as it is to be seen, in RGB, on white where it lets something through."""
    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            large = IMAGE_LARGE_PIXELS()
            image.draft("RGB", (large, large))  # a JPEG of many pixels is unpacked to fewer
            image.load()
            turned = _eight_bits(ImageOps.exif_transpose(image))
            if not turned.has_transparency_data:
                seen = turned.convert("RGB")
            else:
                seen = turned.convert("RGBA")
            # Drawn on a new picture: what Pillow remembers of the old one would be written with it.
            clean = Image.new("RGB", seen.size, "white")
            clean.paste(seen, mask=seen if seen.mode == "RGBA" else None)
    except Exception as broken:
        raise Unfit("The picture is broken") from broken
    return clean


def _eight_bits(image: "Image") -> "Image":
    """Sixteen bits of grey as eight: Pillow would cut off all but the darkest of them."""
    if not image.mode.startswith("I"):
        return image
    return image.convert("I").point(lambda grey: grey * (1 / 256)).convert("L")


def _jpeg(image: "Image") -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=IMAGE_QUALITY(), optimize=True, progressive=True)
    return file.getvalue()
