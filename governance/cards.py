"""What looks like a payment card number in a text: it is refused before it is logged or recorded (PCI DSS 4.0.1, 3.5.1).

Responsible for one question, asked of every free text that comes in: an applicant's id, a level, an Idempotency-Key, a reason. A card
number is 13 to 19 digits, alone or in groups, whose last digit is Luhn's check of the others and whose first ones an issuer has, at a
length it issues. Digits and separators of any script count, and a letter beside a digit hides nothing. A UUID and a digest in hexadecimals
are no such text: chance makes one of 2,500 UUIDs look so. Refuses to say which digits they were. docs/input.md says how many ordinary
numbers are taken for cards, and what to do.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from stdnum import luhn

SHORTEST, LONGEST = 13, 19
SEPARATORS = r"[\s._/\-\u00b7\u2010-\u2015\u2212]{0,3}"
DIGITS = re.compile(rf"\d(?:{SEPARATORS}\d){{{SHORTEST - 1},}}")
RANDOM = re.compile(r"(?<![^\W_])(?=[\da-f-]*[a-f])(?:[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}|[\da-f]{32,})(?![^\W_])",
                    re.IGNORECASE | re.ASCII)
INVISIBLE = {"Cf", "Mn", "Me"}
LONG = frozenset(range(16, LONGEST + 1))
# By the first four digits: from, to, lengths (ISO/IEC 7812; the ranges the networks publish).
ISSUERS: tuple[tuple[int, int, frozenset[int]], ...] = (
    (2200, 2205, LONG),  # Mir, Borica
    (2221, 2720, frozenset({16})),  # Mastercard
    (3000, 3059, frozenset({14, 16})), (3095, 3095, frozenset({14, 16})),  # Diners Club
    (3400, 3499, frozenset({15})), (3700, 3799, frozenset({15})),  # American Express
    (3528, 3589, LONG),  # JCB
    (3600, 3699, frozenset({14, 16})), (3800, 3999, frozenset({14, 16})),  # Diners Club
    (4000, 4999, frozenset({13, 16, 18, 19})),  # Visa
    (5000, 5099, LONG),  # Maestro, Elo, Verve, RuPay
    (5100, 5599, frozenset({16})),  # Mastercard
    (5600, 5899, LONG),  # Maestro
    (6000, 6999, LONG),  # Discover, UnionPay, Maestro, RuPay, Troy
    (8100, 8299, LONG),  # UnionPay, RuPay
    (9792, 9792, frozenset({16})),  # Troy
)
SAID = "must not hold what looks like a card number: 13 to 19 digits that an issuer could have given out"


def holds_card(text: str) -> bool:
    """Whether some digits of a text look like a card number.

    >>> holds_card("paid with 4111 1111-1111 1111"), holds_card("4111 1111 1111 1112")
    (True, False)
    """
    plain = text if text.isascii() else _plain(text)
    if not DIGITS.search(plain):
        return False
    found = DIGITS.finditer(RANDOM.sub("x", plain))
    return any(_issued(digits) and luhn.is_valid(digits) for each in found for digits in _runs(each.group()))


def _plain(text: str) -> str:
    """A text as its compatible characters, without what is not seen."""
    return "".join(letter for letter in unicodedata.normalize("NFKC", text) if unicodedata.category(letter) not in INVISIBLE)


def _runs(found: str) -> Iterator[str]:
    """The digits of neighbouring groups, wherever they are as many as a card has; a group is never cut."""
    groups = ["".join(str(unicodedata.decimal(digit)) for digit in group) for group in re.findall(r"\d+", found)]
    for start in range(len(groups)):
        digits = ""
        for group in groups[start:]:
            digits += group
            if len(digits) > LONGEST:
                break
            if len(digits) >= SHORTEST:
                yield digits


def _issued(digits: str) -> bool:
    """Whether an issuer has these first digits, at this length."""
    first = int(digits[:4])
    return any(low <= first <= high and len(digits) in lengths for low, high, lengths in ISSUERS)
