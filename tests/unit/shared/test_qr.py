"""Pictures of QR codes: every module as the code has it, and the white border around it."""

import png
import pytest
import qrcode

from shared import qr

TEXT = "BO1.kid12345." + "A" * 43 + "." + "b" * 86


def modules(picture: bytes) -> list[list[bool]]:
    """The picture's modules, dark is true; each must be of one colour."""
    width, height, rows, _ = png.Reader(bytes=picture).read()
    pixels = [list(row) for row in rows]
    size = qr.PIXELS
    found = []
    for top in range(0, height, size):
        blocks = [
            {pixel for row in pixels[top : top + size] for pixel in row[left : left + size]}
            for left in range(0, width, size)
        ]
        assert all(len(block) == 1 for block in blocks)
        found.append([block == {0} for block in blocks])
    return found


def test_the_picture_shows_the_code_and_its_white_border() -> None:
    code = qrcode.QRCode(
        error_correction=qrcode.constants.ERROR_CORRECT_M, border=qr.BORDER, mask_pattern=qr.MASK
    )
    code.add_data(TEXT, optimize=0)
    shown = modules(qr.png(TEXT))
    assert shown == code.get_matrix()
    assert not any(shown[qr.BORDER - 1])
    assert shown[qr.BORDER][qr.BORDER : qr.BORDER + 7] == [True] * 7


def test_the_same_text_gives_the_same_picture_and_another_text_another_one() -> None:
    assert qr.png(TEXT) == qr.png(TEXT) != qr.png(TEXT + "x")


def test_a_text_too_long_for_any_code_is_refused() -> None:
    with pytest.raises(ValueError, match="too long"):
        qr.png("x" * 5000)
