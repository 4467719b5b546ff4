"""Scrubbing: no form of a secret stays in what a job says, whatever stands around it, and the rest stays as it is."""

from __future__ import annotations

import base64
import html
import itertools
import json
import urllib.parse
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.actions.assets.scrub import MASK, Scrubber

SECRET = 'Tr0ub4dor&3 "ü" /x+y='

Form = Callable[[str], str]


def base64_core(data: bytes, offset: int) -> str:
    """The characters of base64 that come of these bytes alone, when so many bytes stand before them."""
    text = base64.b64encode(bytes(offset) + data).decode().rstrip("=")
    return text[-(-8 * offset // 6) : 8 * (offset + len(data)) // 6]


FORMS: dict[str, Form] = {
    "raw": str,
    "base64 at 0": lambda s: base64_core(s.encode(), 0),
    "base64 at 1": lambda s: base64_core(s.encode(), 1),
    "base64 at 2": lambda s: base64_core(s.encode(), 2),
    "base64url": lambda s: (
        base64.urlsafe_b64encode(s.encode()).decode().rstrip("=")[: len(s.encode()) * 8 // 6]
    ),
    "hex": lambda s: s.encode().hex(),
    "HEX": lambda s: s.encode().hex().upper(),
    "hex with colons": lambda s: s.encode().hex(":"),
    "URL": lambda s: urllib.parse.quote(s, safe=""),
    "URL form": urllib.parse.quote_plus,
    "URL lower": lambda s: "".join(f"%{b:02x}" for b in s.encode()),
    "JSON": lambda s: json.dumps(s)[1:-1],
    "JSON in JSON": lambda s: json.dumps(json.dumps(s)[1:-1])[1:-1],
    "JSON, slashes": lambda s: json.dumps(s)[1:-1].replace("/", "\\/"),
    "JSON, Unicode": lambda s: json.dumps(s, ensure_ascii=False)[1:-1],
    "UTF-16 as text": lambda s: s.encode("utf-16-le").decode("latin-1").strip("\0"),
    "UTF-16 as JSON": lambda s: json.dumps(s.encode("utf-16-le").decode("latin-1").strip("\0"))[1:-1],
    "UTF-16 in base64": lambda s: base64_core(s.encode("utf-16-le"), 0),
    "UTF-16 in hex": lambda s: s.encode("utf-16-le").hex(),
    "bytes of Python": lambda s: repr(s.encode())[2:-1],
    "text of Python": lambda s: repr(s)[1:-1],
    "HTML": html.escape,
}


@pytest.mark.parametrize("form", FORMS)
def test_a_form_is_masked_wherever_it_stands(form: str) -> None:
    said = FORMS[form](SECRET)
    masked = Scrubber([SECRET]).text(f"before {said} after")
    assert masked == f"before {MASK} after"


@settings(max_examples=60, deadline=None)
@given(
    st.text(min_size=6, max_size=40).filter(lambda s: len(s.strip()) >= 6 and s.isprintable()),
    st.binary(max_size=7),
    st.binary(max_size=7),
    st.sampled_from(sorted(FORMS)),
)
def test_no_form_stays(secret: str, before: bytes, after: bytes, form: str) -> None:
    scrubber = Scrubber([secret])
    assert FORMS[form](secret) not in scrubber.text(f"x{FORMS[form](secret)}y")
    # Whatever stands around it in the same base64 text.
    text = base64.b64encode(before + secret.encode() + after).decode()
    core = base64_core(secret.encode(), len(before) % 3)
    assert core in text
    assert core not in scrubber.text(text)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, len(SECRET)), max_size=6), st.text(max_size=9), st.text(max_size=9))
def test_pieces_are_masked_as_the_whole(cuts: list[int], before: str, after: str) -> None:
    at = [0, *sorted(cuts), len(SECRET)]
    pieces = [SECRET[a:b] for a, b in itertools.pairwise(at)]
    scrubber = Scrubber([SECRET])
    masked = scrubber.pieces([before, *pieces, after])
    assert len(masked) == len(pieces) + 2
    assert "".join(masked) == scrubber.text(before + SECRET + after)


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="abcd", max_size=30), st.integers(0, 30))
def test_the_tail_is_the_longest_beginning(text: str, cut: int) -> None:
    secret = "abcabcd!"
    forms = Scrubber([secret])._forms
    wanted = max((n for f in forms for n in range(1, len(f)) if text.endswith(f[:n])), default=0)
    assert Scrubber([secret]).tail(text) == wanted


def test_what_is_no_secret_stays() -> None:
    value = {"a": [1, 2.5, None, True, "text", {"b": ""}], "c": {}}
    assert Scrubber([SECRET]).value(value) == value
    assert not Scrubber([SECRET]).finds(value)
    assert Scrubber([]).value(value) == value
    assert Scrubber([]).text("text") == "text"


def test_values_are_masked_in_names_numbers_and_over_neighbours() -> None:
    scrubber = Scrubber(["4711471147", SECRET])
    assert scrubber.value({SECRET: 4711471147}) == {MASK: MASK}
    records = [{"Time": 1, "Message": SECRET[:5]}, {"Time": 2, "Message": SECRET[5:]}]
    assert scrubber.value(records) == [{"Time": 1, "Message": MASK}, {"Time": 2, "Message": ""}]


def test_a_key_is_masked_line_by_line() -> None:
    lines = ["-----BEGIN PRIVATE KEY-----", "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v", "AAAAB3NzaC1yc2EAAAADAQABAAAB", "-----END PRIVATE KEY-----"]  # fmt: skip
    scrubber = Scrubber(["\n".join(lines) + "\n"])
    assert scrubber.text("\n".join(lines)) == MASK
    for said in (lines[1], lines[2], lines[1] + lines[2], json.dumps("\n".join(lines))):
        assert lines[1] not in scrubber.text(f"x {said}")
        assert lines[2] not in scrubber.text(f"x {said}")


def test_a_text_that_was_cut_inside_of_a_secret() -> None:
    scrubber = Scrubber([SECRET])
    assert scrubber.text("x " + SECRET[:9], cut=True) == f"x {MASK}"
    assert scrubber.text("x " + SECRET[:9]) == "x " + SECRET[:9]
