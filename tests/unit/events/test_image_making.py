"""What is made of files that people upload: clean pictures of good ones, a reason of bad ones."""

import contextlib
import io
import struct
import zipfile

import pytest
from PIL import Image, ImageDraw
from PIL.ExifTags import GPS, IFD, Base

from functions.events import image_making
from functions.events.image_making import Unfit
from tests.gallery import jpeg, opened, png_bomb, saved

WHERE = b"somewhere secret"


def with_traces() -> bytes:
    """A picture, lying on its side, that says where it was taken, by whom, and has a comment and a thumbnail."""
    image = Image.new("RGB", (1000, 500), "blue")
    ImageDraw.Draw(image).rectangle((0, 0, 499, 499), "red")
    exif = Image.Exif()
    exif[Base.Orientation] = 6  # its right side is up
    exif[Base.Artist] = WHERE.decode()
    exif.get_ifd(IFD.GPSInfo)[GPS.GPSLatitude] = (48.0, 12.0, 30.5)
    return saved(image, "JPEG", exif=exif, comment=WHERE, icc_profile=WHERE)


def made(content: bytes, type: str = "image/jpeg") -> Image.Image:
    return opened(image_making.pictures(content, type)["large"])


def colour(image: Image.Image, x: float = 0.5, y: float = 0.5) -> tuple[int, ...]:
    found = image.convert("RGB").getpixel((int(x * (image.width - 1)), int(y * (image.height - 1))))
    assert isinstance(found, tuple)
    return found


def is_near(found: tuple[int, ...], wanted: tuple[int, int, int], by: int = 12) -> bool:
    return all(abs(a - b) <= by for a, b in zip(found, wanted, strict=True))


def test_three_sizes_are_made_and_none_is_larger_than_the_file() -> None:
    sizes = {
        name: opened(file).size
        for name, file in image_making.pictures(jpeg((3200, 1600)), "image/jpeg").items()
    }
    assert sizes == {"large": (1600, 800), "medium": (800, 400), "small": (320, 160)}

    small = {
        name: opened(file).size
        for name, file in image_making.pictures(jpeg((400, 300)), "image/jpeg").items()
    }
    assert small == {"large": (400, 300), "medium": (400, 300), "small": (320, 240)}


def test_the_same_file_gives_the_same_pictures() -> None:
    assert image_making.pictures(jpeg(), "image/jpeg") == image_making.pictures(jpeg(), "image/jpeg")


def test_a_picture_is_turned_upright_and_says_nothing_of_where_it_was_taken() -> None:
    before = with_traces()
    assert opened(before).getexif().get_ifd(IFD.GPSInfo)
    assert WHERE in before

    for content in image_making.pictures(before, "image/jpeg").values():
        image = opened(content)
        assert image.width * 2 == image.height, "upright"
        assert is_near(colour(image, y=0.1), (255, 0, 0))
        assert is_near(colour(image, y=0.9), (0, 0, 255))
        assert not image.getexif()
        assert set(image.info) <= {
            "jfif",
            "jfif_version",
            "jfif_unit",
            "jfif_density",
            "progressive",
            "progression",
        }
        assert WHERE not in content
        assert b"Exif" not in content


def test_what_lies_behind_the_picture_is_left_behind() -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("evil.html", "<script>alert(1)</script>")
    polyglot = jpeg(comment=b"<script>alert(2)</script>") + archive.getvalue()
    assert zipfile.is_zipfile(io.BytesIO(polyglot))

    for content in image_making.pictures(polyglot, "image/jpeg").values():
        assert not zipfile.is_zipfile(io.BytesIO(content))
        assert b"script" not in content


def sixteen_bits() -> Image.Image:
    return Image.frombytes("I;16", (60, 40), struct.pack("<H", 0x8000) * 2400)


def transparent_palette() -> bytes:
    image = Image.new("P", (60, 40), 1)
    image.putpalette([0, 0, 0, 255, 0, 0])
    return saved(image, "PNG", transparency=1)


@pytest.mark.parametrize(
    ("content", "type", "wanted"),
    [
        pytest.param(
            saved(Image.new("CMYK", (60, 40), (0, 255, 255, 0)), "JPEG"), "image/jpeg", (254, 0, 0), id="CMYK"
        ),
        pytest.param(saved(Image.new("L", (60, 40), 99), "JPEG"), "image/jpeg", (99, 99, 99), id="grey"),
        pytest.param(saved(Image.new("1", (60, 40), 1), "PNG"), "image/png", (255, 255, 255), id="one bit"),
        pytest.param(saved(sixteen_bits(), "PNG"), "image/png", (128, 128, 128), id="16 bits"),
        pytest.param(transparent_palette(), "image/png", (255, 255, 255), id="transparent palette"),
        pytest.param(
            saved(Image.new("RGBA", (60, 40), (255, 0, 0, 0)), "PNG"), "image/png", (255, 255, 255), id="RGBA"
        ),
        pytest.param(
            saved(Image.new("LA", (60, 40), (7, 255)), "PNG"), "image/png", (7, 7, 7), id="grey and alpha"
        ),
        pytest.param(saved(Image.new("RGB", (60, 40), "lime"), "WEBP"), "image/webp", (0, 255, 0), id="WebP"),
        pytest.param(
            saved(
                Image.new("RGB", (60, 40), "lime"),
                "WEBP",
                save_all=True,
                append_images=[Image.new("RGB", (60, 40), "red")],
                duration=100,
            ),
            "image/webp",
            (0, 255, 0),
            id="animated WebP: its first picture",
        ),
        pytest.param(
            saved(
                Image.new("RGB", (60, 40), "lime"),
                "PNG",
                save_all=True,
                append_images=[Image.new("RGB", (60, 40), "red")],
            ),
            "image/png",
            (0, 255, 0),
            id="animated PNG: its first picture",
        ),
        pytest.param(
            saved(
                Image.new("RGB", (60, 40), "lime"),
                "MPO",
                save_all=True,
                append_images=[Image.new("RGB", (60, 40), "red")],
            ),
            "image/jpeg",
            (0, 255, 0),
            id="several JPEGs in one file, of a phone",
        ),
    ],
)
def test_pictures_of_every_kind_are_seen_as_they_are(
    content: bytes, type: str, wanted: tuple[int, int, int]
) -> None:
    image = made(content, type)

    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (60, 40))
    assert is_near(colour(image), wanted)
    assert getattr(image, "n_frames", 1) == 1


@pytest.mark.parametrize(
    ("content", "type", "reason"),
    [
        pytest.param(b"", "image/jpeg", "not a JPEG", id="nothing"),
        pytest.param(b"GIF89a" + b"\x00" * 100, "image/png", "not a JPEG", id="GIF"),
        pytest.param(
            b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/png", "not a JPEG", id="SVG called PNG"
        ),
        pytest.param(b"%PDF-1.7 ...", "image/jpeg", "not a JPEG", id="PDF"),
        pytest.param(b"%!PS-Adobe-3.0 EPSF-3.0\n", "image/jpeg", "not a JPEG", id="PostScript"),
        pytest.param(saved(Image.new("RGB", (9, 9)), "TIFF"), "image/jpeg", "not a JPEG", id="TIFF"),
        pytest.param(
            jpeg(), "image/png", "This is image/jpeg, but image/png was announced", id="another type"
        ),
        pytest.param(jpeg()[:2000], "image/jpeg", "broken", id="truncated JPEG"),
        pytest.param(
            saved(Image.effect_noise((90, 90), 99), "PNG")[:900], "image/png", "broken", id="truncated PNG"
        ),
        pytest.param(
            saved(Image.effect_noise((90, 90), 99), "WEBP")[:900],
            "image/webp",
            "not a|broken",
            id="truncated WebP",
        ),
        pytest.param(png_bomb(60_000, 60_000), "image/png", "not a|pixels", id="bomb that Pillow knows"),
        pytest.param(png_bomb(9_000, 9_000), "image/png", "at most 40,000,000 pixels", id="bomb"),
        pytest.param(jpeg((500, 100)), "image/jpeg", "times as long", id="a strip"),
    ],
)
def test_what_is_no_picture_has_a_reason(content: bytes, type: str, reason: str) -> None:
    with pytest.raises(Unfit, match=reason):
        image_making.pictures(content, type)


def test_a_file_with_its_bytes_shuffled_is_a_picture_or_unfit_and_nothing_else() -> None:
    for type, format in (("image/jpeg", "JPEG"), ("image/png", "PNG"), ("image/webp", "WEBP")):
        whole = saved(Image.effect_noise((64, 64), 50).convert("RGB"), format)
        for at in range(4, len(whole), max(1, len(whole) // 60)):
            broken = whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]
            with contextlib.suppress(Unfit):
                image_making.pictures(broken, type)


def test_the_placeholder_is_a_picture() -> None:
    assert opened(image_making.placeholder()).size == (1600, 900)
