"""Headers as names a contract can use, and as the phrases a person may read. Invents nothing: a header without letters is numbered."""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Iterable

from feature_repo.contract import RESERVED
from tally.drafting import vocabulary


def snake(header: str) -> str:
    """A header in snake case, of ASCII letters, digits and underscores; empty where it has none of them.

    >>> snake("default.payment.next.month"), snake("LoanAmount (EUR)"), snake("Âge")
    ('default_payment_next_month', 'loan_amount_eur', 'age')
    """
    plain = unicodedata.normalize("NFKD", header.replace("ß", "ss")).encode("ascii", "ignore").decode()
    parted = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", plain)
    return re.sub(r"[^a-z0-9]+", "_", parted.lower()).strip("_")


def bounded(header: str) -> str:
    """Snake case between underscores, which is what the patterns of the vocabulary are searched in."""
    return f"_{snake(header)}_"


def assign(headers: Iterable[str], taken: Iterable[str] = ()) -> dict[str, str]:
    """Header -> a name no other has: an identifier, no word of Python's or the platform's. Headers that are positions become c1, c2."""
    used, names = {*taken, *RESERVED}, dict[str, str]()
    for position, header in enumerate(headers, 1):
        names[header] = free(identifier(header, position), used)
        used.add(names[header])
    return names


def identifier(text: str, position: int = 1) -> str:
    """A word that Python takes as a name; one of the platform's own gets `given_` before it."""
    name = snake(text) or f"c{position}"
    name = f"c{name}" if name[0].isdigit() else name
    if name in RESERVED or keyword.iskeyword(name) or keyword.issoftkeyword(name):
        name = f"given_{name}"
    return name


def free(name: str, used: Iterable[str]) -> str:
    """The name, numbered where it is taken."""
    taken = set(used)
    return next(each for each in (name, *(f"{name}_{number}" for number in range(2, 10_000))) if each not in taken)


def reason(name: str, header: str) -> str:
    """A first wording of why this column may speak against somebody: a noun phrase in the manner of Regulation B's sample form C-1."""
    found = next((phrase for pattern, phrase in vocabulary.PHRASES if pattern.search(f"_{name}_")), None)
    if found:
        return found
    if not re.search(r"[a-z]{2}", name):
        return f"Information given as {header or name}"
    said = " ".join(_words(header) if re.search(r"[^\W\d]{2}", header) else _words(name.removeprefix("given_")))
    return said[0].upper() + said[1:]


def _words(header: str) -> list[str]:
    """A header's words, abbreviations in full; in their own case and letters where it is written as people write."""
    parted = re.sub(r"([^\W\dA-Z])([A-Z])", r"\1 \2", header)
    own = parted == header and header != header.upper()
    words = re.findall(r"[^\W_]+", parted)
    return [vocabulary.SHORT.get(snake(word), word if own else word.lower()) for word in words]


def unit(name: str) -> str:
    """The unit a name tells, else nothing."""
    currency = next((word.upper() for word in name.split("_") if word in vocabulary.CURRENCIES), "")
    return currency or next((unit for pattern, unit in vocabulary.UNITS if pattern.search(f"_{name}_")), "")
