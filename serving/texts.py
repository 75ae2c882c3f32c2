"""What a text field of the API may hold, for the service and for its description alike.

Responsible for one spelling (Unicode's composed form) and for refusing what a person cannot see: controls, line breaks, marks of direction,
blanks but the plain one, ignorable letters, characters of private use. Refuses a text of blanks, and one that holds what looks like a card
number. Which characters those are stands here and does not move with Python's tables, as `str.isprintable` does.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Any

from governance.cards import SAID, holds_card

LONGEST = 128
UNSEEN = (
    r"\x00-\x1f\x7f-\xa0\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f"
    r"\u2028-\u202f\u205f-\u206f\u3000\u3164\ue000-\uf8ff\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U0010ffff"
)
PATTERN = f"^ *[^ {UNSEEN}][^{UNSEEN}]*$"  # as ECMA-262 reads it: $ is the end
ALLOWED = f"must be a text of 1 to {LONGEST} printable characters"
_SEEN = re.compile(PATTERN.replace(UNSEEN, UNSEEN + r"\ud800-\udfff").removesuffix("$") + r"\Z")  # halves of a pair are no JSON


class Invalid(Exception):  # noqa: N818 - never leaves the checks of a request
    """A value that is not allowed; its text says what is."""


def text(value: Any, *, ours: Callable[[str], object] | None = None) -> str:
    """A text in its one spelling. ours: says which texts are known to be no card numbers. Raises Invalid."""
    if not (isinstance(value, str) and len(value) <= LONGEST and _SEEN.match(value)):
        raise Invalid(ALLOWED)
    normal = unicodedata.normalize("NFC", value)
    if holds_card(normal) and not (ours and ours(normal)):
        raise Invalid(SAID)
    return normal
