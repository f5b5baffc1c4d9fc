"""Search for a card number, in any encoding, in everything that left the browser."""

import base64
import re
from collections.abc import Iterable
from urllib.parse import quote, unquote_to_bytes

from browser.network import Sent

# The first six and last four digits may leave the page, but no longer run of digits.
LONGEST_RUN = 6
# Separators between digits: blanks, hyphens, plus signs of forms, and commas, quotes and brackets of JSON.
BETWEEN = re.compile(rb"[\s\-+.,_:;/\"'\[\]\x00\xa0\xc2]+")


def leaks(sent: Iterable[Sent], number: str) -> list[str]:
    """Requests that contain the number: method, path and encoding, never the number itself."""
    found = (f"{one.method} {one.path}: {form}" for one in sent for form in forms_in(one.raw, number))
    return list(dict.fromkeys(found))


def forms_in(raw: bytes, number: str) -> list[str]:
    """Encodings in which the bytes contain the number, or more of it than permitted."""
    plain = unquote_to_bytes(raw)
    found = []
    if any(run in BETWEEN.sub(b"", plain) for run in _runs(number)):
        found.append("digits")
    encoded = {
        "base64": [form for text in _written(number) for form in _base64(text)],
        "hex": [text.hex().encode() for text in _written(number)],
        "number": [f"{int(number):x}".encode(), f"{int(number[::-1])}".encode()],
        "percent": ["".join(f"%{ord(digit):02x}" for digit in number).encode()],
    }
    lower = plain.lower()
    for name, forms in encoded.items():
        sought, there = (forms, plain) if name == "base64" else (forms, lower)
        if any(form in there or form in raw for form in sought):
            found.append(name)
    return found


def _runs(number: str) -> list[bytes]:
    length = LONGEST_RUN + 2
    return [number[start : start + length].encode() for start in range(len(number) - length + 1)]


def _written(number: str) -> list[bytes]:
    """The number with and without groups, in the encodings available in a browser."""
    grouped = [mark.join(re.findall("..?.?.?", number)) for mark in ("", " ", "-")]
    return [text.encode(encoding) for text in grouped for encoding in ("ascii", "utf-16-le", "utf-16-be")]


def _base64(text: bytes) -> list[bytes]:
    """Base64 of the text at any offset in a longer text, without characters that depend on its neighbors."""
    forms = []
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + text).rstrip(b"=")
        inner = whole[-(-before * 4 // 3) : len(whole) - 1]
        forms += [inner, inner.translate(bytes.maketrans(b"+/", b"-_")), quote(inner).encode()]
    return forms
