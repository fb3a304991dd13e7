"""Pictures of QR codes (ISO/IEC 18004), for the API and for mails."""

import io

# Per module and side, which makes a row of a module one byte at one bit a pixel. A ticket's code comes to 450 pixels.
PIXELS = 8
BORDER = 4  # modules of white around the code, which the standard asks for
MASK = 2  # any of the eight is valid; comparing them all costs six times the rest of the picture


def png(text: str) -> bytes:
    """A black-and-white PNG of the QR code for `text`; it stays readable with a seventh of it damaged.

    Raises:
        ValueError: too long for any QR code.
    """
    import png as pypng
    import qrcode
    from qrcode.constants import ERROR_CORRECT_M
    from qrcode.exceptions import DataOverflowError

    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=BORDER, mask_pattern=MASK)
    try:
        code.add_data(text, optimize=0)
        code.make()
    except (DataOverflowError, ValueError) as too_long:
        raise ValueError("too long for a QR code") from too_long
    rows = [
        row
        for modules in code.get_matrix()
        for row in [bytes(0x00 if dark else 0xFF for dark in modules)] * PIXELS
    ]
    picture, size = io.BytesIO(), len(rows)
    pypng.Writer(size, size, greyscale=True, bitdepth=1, compression=6).write_packed(picture, rows)
    return picture.getvalue()
