"""Good requests, spoiled at random and sent to a real service, and what it may answer: never a score for a bad one, never 5xx.

Whether a spoiled request is still good is told without the service's code: by Python's JSON reader, strict about what it lets pass, and by
the schema of /openapi.json. What a spoiler breaks by nature (a header, the size) is bad whatever the schema says.
"""

from __future__ import annotations

import gzip
import http.client
import json
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import inf, nextafter
from random import Random
from typing import Any
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator

from feature_repo.contract import APPLICANT_ID
from feature_repo.portfolio import Portfolio
from governance.cards import holds_card
from serving import openapi
from serving.application import APPLICATION, DECISIONS
from serving.settings import Settings
from serving.texts import PATTERN

ONE, BATCH = "/v1/decisions", "/v1/decisions:batch"
JSON = {"Content-Type": "application/json"}
LONG = 2**16  # a body of which a service may read too little to be heard when it refuses
LITERALS = ["NaN", "Infinity", "-Infinity", "1e400", "-1e999", "-0.0", "5e-324", "0x10", "01", "+1", "1.", ".5", "1e", "9" * 400, "1_000",
            "1,5", '"1000"', "true", "null", "[]", "{}", '""', "[1]", "--1", "1e5"]
MARKS = ["\u200b", "\u202e", "\u2066", "\ufeff", "\x00", "\n", "\r\n", "\u0301", "\u0430", "\x7f", "\u3164", "\U000e0041", "\ufe0f"]
INJECTED = ["' OR 1=1 --", "../../etc/passwd", "{{7*7}}", "${jndi:ldap://x/a}", "!!python/object/apply:os.system ['id']",
            "<script>alert(1)</script>", "x\r\nSet-Cookie: a=b", "models:/loans@champion",
            "%00", "; DROP TABLE entries", "4111 1111 1111 1111", "\u0661" * 20]
HEADERS = [{"Content-Type": "text/plain"}, {"Content-Type": "application/json; charset=utf-16"},
           {"Content-Type": "multipart/form-data; boundary=x"}, {"Content-Type": "application/vnd.bentoml+pickle"},
           {**JSON, "Content-Encoding": "gzip"}, {**JSON, "Content-Encoding": "br"},
           {**JSON, "Idempotency-Key": "a b"}, {**JSON, "Idempotency-Key": "4111111111111111"}, {"Content-Type": "application/jsonx"}, {}]


@dataclass
class Spoiled:
    """A request on its way. known: whether its nature makes it bad; None: the schema tells."""

    path: str
    body: bytes
    headers: dict[str, str] = field(default_factory=lambda: dict(JSON))
    known: bool | None = None
    how: str = ""


@dataclass(frozen=True)
class Answer:
    """What a service said to a spoiled request, and how long it took, in seconds."""

    status: int
    kind: str
    body: bytes
    took: float


@dataclass
class Found:
    """What came of a run. wrong: what may not be, in words without a value."""

    statuses: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    scored: int = 0
    refused: list[float] = field(default_factory=list)

    @property
    def p99(self) -> float:
        """Of the refusals, in milliseconds."""
        return 1e3 * sorted(self.refused)[int(0.99 * (len(self.refused) - 1))]


class Fuzz:
    """Spoils requests of one portfolio. One seed, one sequence."""

    def __init__(self, portfolio: Portfolio, seed: int, settings: Settings) -> None:
        self.random, self._settings = Random(seed), settings  # noqa: S311 - spoiled requests, no secrets
        self._good = openapi.example(portfolio)
        self._columns = {column.name: column for column in portfolio.requests}
        described = json.dumps(openapi.document(portfolio, settings))
        schemas = json.loads(described.replace(json.dumps(PATTERN), json.dumps(PATTERN[:-1] + r"\Z")))  # for Python $ is elsewhere
        self._one = Draft202012Validator({"$ref": "#/components/schemas/Request", **schemas})
        batch = schemas["paths"]["/v1/decisions:batch"]["post"]["requestBody"]["content"]["application/json"]["schema"]
        self._many = Draft202012Validator({**batch, "components": schemas["components"]})
        self._spoilers: list[Callable[[Spoiled], None]] = [
            self.literal, self.literal, self.bounds, self.kind, self.mark, self.twice, self.structure, self.injected, self.bits,
            self.header, self.size, self.depth, self.nothing]

    def __iter__(self) -> Iterator[Spoiled]:
        while True:
            batch = self.random.random() < 0.2
            document = {**self._good, APPLICANT_ID: f"p{self.random.randrange(10**6)}"}
            body = {DECISIONS: [document] * self.random.randint(1, 3)} if batch else document
            made = Spoiled(BATCH if batch else ONE, json.dumps(body).encode())
            for spoil in self.random.choices(self._spoilers, k=self.random.choice([1, 1, 2, 3])):
                made.how += f" {spoil.__name__}"
                spoil(made)
            yield made

    def good(self, made: Spoiled) -> bool:
        """Whether a service may score what is sent."""
        try:
            document = json.loads(made.body.decode(), object_pairs_hook=once, parse_constant=no_json)
            text = json.dumps(document, ensure_ascii=False).encode().decode()
        except (ValueError, RecursionError):
            return False
        known = made.known or len(made.body) > self._limit(made)
        return not known and (self._many if made.path == BATCH else self._one).is_valid(document) and not holds_card(text)

    def _changed(self, made: Spoiled, change: Callable[[dict[str, Any]], None]) -> None:
        """Change one application of a document that can still be read."""
        try:
            document = json.loads(made.body)
            inner = document[DECISIONS][-1] if DECISIONS in document else document
            inner = json.loads(json.dumps(inner))
            change(inner)
            document = {DECISIONS: [*document[DECISIONS][:-1], inner]} if DECISIONS in document else inner
            made.body = json.dumps(document).encode()
        except (ValueError, TypeError, KeyError, IndexError, RecursionError, AttributeError):
            return

    def _limit(self, made: Spoiled) -> int:
        return self._settings.batch_body_bytes if made.path == BATCH else self._settings.body_bytes

    def _place(self) -> str:
        return self.random.choice(list(self._columns))

    def nothing(self, made: Spoiled) -> None:
        """Leave it as it is."""

    def literal(self, made: Spoiled) -> None:
        """Another word of JSON, or nearly one, for a value."""
        self._changed(made, lambda inner: inner[APPLICATION].update({self._place(): "@"}))
        made.body = made.body.replace(b'"@"', self.random.choice(LITERALS).encode(), 1)

    def bounds(self, made: Spoiled) -> None:
        """A number at its bound, or a step beyond."""
        column = self._columns[self._place()]
        edge = self.random.choice([column.low, column.high])
        if edge is not None:
            value = self.random.choice([edge, nextafter(edge, inf), nextafter(edge, -inf), edge + 1, edge - 1, edge * 10, -edge])
            self._changed(made, lambda inner: inner[APPLICATION].update({column.name: value}))

    def kind(self, made: Spoiled) -> None:
        """A value of another kind anywhere."""
        value = self.random.choice([None, True, 0, -1, 10**30, 1.5, "x", "", [], {}, [[]], {"a": 1}, "9" * 200])
        place = self.random.choice([APPLICANT_ID, APPLICATION, *self._columns])
        self._changed(made, lambda inner: (inner if place in inner else inner[APPLICATION]).update({place: value}))

    def mark(self, made: Spoiled) -> None:
        """A letter nobody sees, a look-alike, or another form of Unicode in a text."""
        mark, form = self.random.choice(MARKS), self.random.choice(["NFC", "NFD"])

        def marked(inner: dict[str, Any]) -> None:
            texts = [(inner, APPLICANT_ID), *((inner[APPLICATION], name) for name, column in self._columns.items() if column.is_level)]
            where, name = self.random.choice(texts)
            text = str(where[name])
            at = self.random.randint(0, len(text))
            where[name] = unicodedata.normalize(form, text[:at] + mark + text[at:])

        self._changed(made, marked)

    def twice(self, made: Spoiled) -> None:
        """The same key twice."""
        name = self.random.choice([APPLICANT_ID, APPLICATION, *self._columns]).encode()
        spelled = self.random.choice([name, b"\\u%04x" % name[0] + name[1:]])
        made.body = made.body.replace(b'"' + name + b'":', b'"' + spelled + b'": 1, "' + name + b'":', 1)

    def structure(self, made: Spoiled) -> None:
        """A field that is missing, unknown, of another case, or elsewhere."""
        place = self._place()

        def change(inner: dict[str, Any]) -> None:
            self.random.choice([
                lambda: inner[APPLICATION].pop(place),
                lambda: inner[APPLICATION].update({place.upper(): inner[APPLICATION].pop(place)}),
                lambda: inner.update({self.random.choice(["decided_at", "x" * 500, "__proto__", "4111111111111111"]): 1}),
                lambda: inner.update({place: inner[APPLICATION].pop(place)}),
                lambda: inner.update({APPLICATION: [inner[APPLICATION]]}),
                lambda: inner.pop(self.random.choice([APPLICANT_ID, APPLICATION])),
            ])()

        self._changed(made, change)

    def injected(self, made: Spoiled) -> None:
        """Words that mean something to a database, a shell, a template or a log."""
        word, name = self.random.choice(INJECTED), self.random.choice([APPLICANT_ID, *(n for n, c in self._columns.items() if c.is_level)])
        self._changed(made, lambda inner: (inner if name in inner else inner[APPLICATION]).update({name: word}))

    def bits(self, made: Spoiled) -> None:
        """Bytes that are exchanged, missing, or there twice."""
        raw = bytearray(made.body)
        for _ in range(self.random.randint(1, 4)):
            at, length = self.random.randrange(len(raw) + 1), self.random.randint(1, 8)
            put = self.random.choice([b"", self.random.randbytes(length), bytes(raw[at:at + length]) * 2])
            raw[at:at + self.random.choice([0, length])] = put
        made.body = bytes(raw)

    def header(self, made: Spoiled) -> None:
        """Another kind of body, as the header says; a bomb where it is compressed."""
        made.headers, made.known = dict(self.random.choice(HEADERS)), True
        if made.headers.get("Content-Encoding") == "gzip":
            made.body = gzip.compress(b" " * 10**6 + made.body)

    def size(self, made: Spoiled) -> None:
        """As long as is allowed, or a byte longer."""
        if self.random.random() < 0.5:
            made.body = made.body.ljust(self._limit(made) + self.random.choice([0, 1, 1000]))

    def depth(self, made: Spoiled) -> None:
        """Deeply nested."""
        levels = self.random.choice([31, 33, 1_000, 20_000])
        self._changed(made, lambda inner: inner[APPLICATION].update({self._place(): "@"}))
        made.body = made.body.replace(b'"@"', b"[" * levels + b"]" * levels, 1)


def no_json(_: str) -> None:
    """NaN and Infinity are none."""
    raise ValueError


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object, unless it has a key twice."""
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError
    return dict(pairs)


def send(connection: http.client.HTTPConnection, made: Spoiled) -> Answer:
    """One request over a connection that is kept."""
    started = time.perf_counter()
    try:
        connection.request("POST", made.path, made.body, made.headers)
        said = connection.getresponse()
        return Answer(said.status, said.headers.get_content_type(), said.read(), time.perf_counter() - started)
    except (ConnectionError, http.client.HTTPException):
        connection.close()
        if len(made.body) < LONG:
            raise
        return Answer(413, "application/problem+json", b"{}", time.perf_counter() - started)


def run(url: str, fuzz: Fuzz, requests: int) -> Found:
    """Send so many spoiled requests, one after the other."""
    found, address = Found(), urlsplit(url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=30)
    for number, made in zip(range(requests), fuzz, strict=False):
        answer, good = send(connection, made), fuzz.good(made)
        found.statuses[answer.status] += 1
        place = f"request {number} ({made.path}{made.how}): {answer.status}"
        if answer.status == 200:
            found.scored += answer.body.count(b'"decision_id"')
            if not good:
                found.wrong.append(f"{place}, a score for bad input")
        else:
            found.refused.append(answer.took)
            if answer.status >= 500 or answer.kind != "application/problem+json" or b'"pd"' in answer.body:
                found.wrong.append(f"{place}, {answer.kind}, is no refusal")
            if good:
                found.wrong.append(f"{place}, good input was refused")
    connection.close()
    return found
