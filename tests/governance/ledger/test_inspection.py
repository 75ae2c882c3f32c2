"""An export proves itself: 5,000 random mutations are all found, clean exports never raise a false alarm, nothing of a person is said."""

from __future__ import annotations

import random
import shutil
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from ledgers import key_of

from feature_repo.errors import LedgerError
from governance.ledger import checkpoint
from governance.ledger.book import open_book
from governance.ledger.entries import DECISION, Entry, canonical
from governance.ledger.exported import MANIFEST, export
from governance.ledger.inspection import inspect
from governance.ledger.proving import checkpoint_now
from governance.ledger.writer import Ledger

MUTATIONS, SEED = 5_000, 20_261_127
SECRET = "4111111111111111"


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def book(home):
    """Four months: decisions and events, two of them erased, and a last month in which nothing happened but its beginning."""
    folder = home / "harbour" / "ledger"
    start, clock = datetime(2026, 1, 1, tzinfo=UTC), [datetime(2026, 1, 1, tzinfo=UTC)]
    book, key = open_book(folder), key_of(open_book(folder), folder)
    ledger = Ledger(open_book(folder), now=lambda: clock[0])
    for number in range(36):
        clock[0] = start + timedelta(days=2 * number)
        card = Entry(DECISION, f"d{number}", canonical({"card": SECRET, "n": number}), f"k{number}" if number % 3 else None, "digest")
        ledger.append([card, Entry("report-issued", f"r{number}", b"{}")][: 1 + number % 2]).result()
        if number == 20:
            checkpoint_now(book, key)
    ledger.append([Entry("person-erased", "e", canonical({"entries": ["d3", "d25"]}))]).result()
    for period, name in (("2026-01", "d3"), ("2026-02", "d25")):
        book.erase(period, [name])
    clock[0] = datetime(2026, 4, 1, tzinfo=UTC)
    ledger.probe().result()
    ledger.close()
    return book


@pytest.fixture(scope="module")
def key(book, home):
    return key_of(book, home / "harbour" / "ledger")


@pytest.fixture(scope="module")
def clean(book, key, home) -> Path:
    export(book, key, home / "export")
    return home / "export"


@pytest.fixture(scope="module")
def older(home, book, key, clean) -> dict[str, bytes]:
    """What the log's key really signed earlier: a checkpoint and a manifest."""
    size, note = next(book.checkpoints("2026-02"))
    assert size < book.size("2026-02")
    export(book, key, home / "older", ("", "2026-03"))
    return {"2026-02.checkpoint": note.encode(), MANIFEST: (home / "older" / MANIFEST).read_bytes()}


def test_a_clean_export_verifies_erased_entries_and_a_month_without_decisions_included(clean, key, book):
    looked = []
    found = inspect(clean, key.verifier, told=looked.append)
    assert [(one.period, one.size, one.erased) for one in found] == [
        (period, book.size(period), erased) for period, erased in zip(book.periods(), (1, 1, 0, 0), strict=True)]
    assert book.periods() == ["2026-01", "2026-02", "2026-03", "2026-04"]
    assert found[-1].size == 1
    assert sum(looked) == len(list(book.records()))


@pytest.mark.parametrize("months", [("", "2026-02"), ("2026-02", "9999-99"), ("2026-02", "2026-03"), ("2026-04", "2026-04")])
def test_a_part_of_the_months_is_an_export_too(book, key, tmp_path, months):
    export(book, key, tmp_path / "part", months)
    assert [one.period for one in inspect(tmp_path / "part", key.verifier)] == [
        period for period in book.periods() if months[0] <= period <= months[1]]


def test_an_export_is_a_folder_of_its_own(book, key, clean, tmp_path):
    with pytest.raises(LedgerError, match="not empty"):
        export(book, key, clean)
    with pytest.raises(LedgerError, match="no month"):
        export(book, key, tmp_path / "none", ("2030-01", "2030-02"))


def test_a_checkpoint_noted_elsewhere_is_one_the_export_went_through(clean, key, book):
    _, note = next(book.checkpoints("2026-02"))
    noted = checkpoint.read(note.encode(), key.verifier)
    assert inspect(clean, key.verifier, [noted])
    other = checkpoint.Checkpoint(noted.origin, noted.size, bytes(32))
    with pytest.raises(LedgerError, match=f"2026-02: entries 1 to {noted.size} are not those"):
        inspect(clean, key.verifier, [other])
    longer = checkpoint.Checkpoint(noted.origin, 1_000, noted.root)
    with pytest.raises(LedgerError, match="2026-02: it once held 1000 entries"):
        inspect(clean, key.verifier, [longer])
    with pytest.raises(LedgerError, match="not there"):
        inspect(clean, key.verifier, [checkpoint.Checkpoint(f"{book.log}/2025-01", 1, bytes(32))])


class Mutations:
    """Ways to change an export; each returns whether it changed anything."""

    def __init__(self, folder: Path, other: checkpoint.Key, older: dict[str, bytes], seed: int) -> None:
        self.folder, self.other, self.older = folder, other, older
        self.chance = random.Random(seed)  # noqa: S311 - so that it can be repeated

    def one(self) -> str:
        """Change something, and say what was done."""
        while True:
            way = self.chance.choice([name for name in dir(self) if name.startswith("by_")])
            path = self.chance.choice(sorted(self.folder.iterdir()))
            if getattr(self, way)(path):
                return f"{way} {path.name}"

    def by_bit(self, path: Path) -> bool:
        content = bytearray(path.read_bytes())
        content[self.chance.randrange(len(content))] ^= 1 << self.chance.randrange(8)
        return self._write(path, bytes(content))

    def by_byte(self, path: Path) -> bool:
        content = bytearray(path.read_bytes())
        content[self.chance.randrange(len(content))] = self.chance.choice(b"\t\n 0aA-{}\xff\x00")
        return self._write(path, bytes(content))

    def by_shift(self, path: Path) -> bool:
        """A byte moved elsewhere: no length changes."""
        content = bytearray(path.read_bytes())
        taken = content.pop(self.chance.randrange(len(content)))
        content.insert(self.chance.randrange(len(content) + 1), taken)
        return self._write(path, bytes(content))

    def by_deleted_line(self, path: Path) -> bool:
        return self._lines(path, lambda lines, place: lines.pop(place))

    def by_repeated_line(self, path: Path) -> bool:
        return self._lines(path, lambda lines, place: lines.insert(place, lines[place]))

    def by_swapped_lines(self, path: Path) -> bool:
        def swap(lines, place):
            other = self.chance.randrange(len(lines))
            lines[place], lines[other] = lines[other], lines[place]

        return self._lines(path, swap)

    def by_inserted_line(self, path: Path) -> bool:
        forged = b"decision\tforged\t2026-01-01T00:00:00.000000+00:00\t" + self.chance.randbytes(32).hex().encode() + b"\t\t\t{}\n"
        return self._lines(path, lambda lines, place: lines.insert(place, self.chance.choice([forged, b"\n", b"x\n", forged[:-1]])))

    def by_erasure(self, path: Path) -> bool:
        """A line as an export writes it of an erased entry, commitment and all: the tree holds, what was recorded is gone."""
        def erase(lines, place):
            *head, salt, payload = lines[place][:-1].split(b"\t", 4)
            if salt != b"-":
                commitment = sha256(bytes.fromhex(salt.decode()) + payload).hexdigest().encode()
                lines[place] = b"\t".join([*head, b"-", commitment]) + b"\n"

        return path.suffix == ".entries" and self._lines(path, erase)

    def by_case(self, path: Path) -> bool:
        """The same hexadecimal number, written otherwise."""
        def upper(lines, place):
            parts = lines[place].split(b"\t", 4)
            lines[place] = b"\t".join([*parts[:3], parts[3].upper(), *parts[4:]])

        return path.suffix == ".entries" and self._lines(path, upper)

    def by_truncation(self, path: Path) -> bool:
        content = path.read_bytes()
        return self._write(path, content[: self.chance.randrange(len(content))])

    def by_extension(self, path: Path) -> bool:
        return self._write(path, path.read_bytes() + self.chance.choice([b"\n", b"x", b"\x00", path.read_bytes()]))

    def by_line_moved_to_another_file(self, path: Path) -> bool:
        others = [other for other in sorted(self.folder.glob("*.entries")) if other != path]
        lines = path.read_bytes().splitlines(keepends=True)
        moved = lines.pop(self.chance.randrange(len(lines)))
        target = self.chance.choice(others)
        path.write_bytes(b"".join(lines))
        return self._lines(target, lambda lines, place: lines.insert(place, moved))

    def by_removed_file(self, path: Path) -> bool:
        path.unlink()
        return True

    def by_added_file(self, path: Path) -> bool:
        name = self.chance.choice(["2026-05.entries", ".hidden", "2026-01.entries~", "notes.txt", "2025-12.checkpoint"])
        (self.folder / name).write_bytes(path.read_bytes())
        return True

    def by_link_or_folder(self, path: Path) -> bool:
        content = path.read_bytes()
        path.unlink()
        if self.chance.random() < 0.5 or path.name == MANIFEST:
            path.mkdir()
        else:
            (self.folder.parent / path.name).write_bytes(content)
            path.symlink_to(self.folder.parent / path.name)
        return True

    def by_swapped_files(self, path: Path) -> bool:
        other = self.chance.choice(sorted(self.folder.iterdir()))
        one, two = path.read_bytes(), other.read_bytes()
        path.write_bytes(two)
        return self._write(other, one)

    def by_another_key(self, path: Path) -> bool:
        """A note signed again by somebody else, or by nobody."""
        if path.suffix == ".entries":
            return False
        text = path.read_bytes().decode().rpartition("\n\n")[0] + "\n"
        nobody = f"{text}\n\u2014 {self.other.name} {b64encode(self.chance.randbytes(68)).decode()}\n"
        return self._write(path, self.chance.choice([self.other.sign(text), nobody]).encode())

    def by_an_older_one(self, path: Path) -> bool:
        """A checkpoint or a manifest that the log's key did sign, earlier."""
        return path.name in self.older and self._write(path, self.older[path.name])

    def _write(self, path: Path, content: bytes) -> bool:
        changed = path.read_bytes() != content
        path.write_bytes(content)
        return changed

    def _lines(self, path: Path, change) -> bool:
        lines = path.read_bytes().splitlines(keepends=True)
        change(lines, self.chance.randrange(len(lines)))
        return self._write(path, b"".join(lines))


def test_five_thousand_random_mutations_of_an_export_are_all_found(clean, key, older, tmp_path_factory):
    folder = tmp_path_factory.mktemp("mutated") / "export"
    files = {path.name: path.read_bytes() for path in clean.iterdir()}
    other = checkpoint.open_key(folder.parent / "other", key.name)
    mutations = Mutations(folder, other, older, SEED)
    missed, said, ways = [], [], set()
    for _ in range(MUTATIONS):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_bytes(content)
        done = mutations.one()
        ways.add(done.split()[0])
        try:
            inspect(folder, key.verifier)
        except LedgerError as error:
            said.append(str(error))
        else:
            missed.append(done)
    assert missed == [], f"seed {SEED}: an export no longer shows that it was changed"
    assert not any(SECRET in each for each in said)
    assert ways == {name for name in dir(mutations) if name.startswith("by_")}


def test_an_export_signed_with_another_key_is_not_the_logs(clean, key, book, tmp_path):
    other = checkpoint.open_key(tmp_path, key.name)
    with pytest.raises(LedgerError, match="MANIFEST: is not signed by"):
        inspect(clean, other.verifier)
    with pytest.raises(LedgerError, match="MANIFEST: is not signed by"):
        inspect(clean, checkpoint.Verifier("tallystick.local/mill", key.verifier.public))
