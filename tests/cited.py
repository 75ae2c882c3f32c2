"""What a reader of a model document can check: every value of the page against the file and key it names."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path

from projects import Project

from governance.release import verify
from training import citation, document
from training.citation import Cited

APART = ("svg", "style", "title")
VOID = ("meta", "br", "link", "path", "use", "rect")


class Page(HTMLParser):
    """values: (pointer, format, text) of every cited value; digests: file -> its SHA-256; words: all other text a reader sees."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.values: list[tuple[str, str, str]] = []
        self.digests: dict[str, str] = {}
        self.words: list[str] = []
        self._open: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if "data-of" in found:
            self.values.append((str(found["data-of"]), str(found["data-as"]), ""))
        if tag not in VOID:
            self._open.append((tag, found))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self._open.pop()[0] == tag, f"{tag} closes nothing"

    def handle_data(self, data: str) -> None:
        if any(tag in APART for tag, _ in self._open):
            return
        inside = {name: value for _, attrs in self._open for name, value in attrs.items()}
        if "data-of" in inside:
            self.values[-1] = (*self.values[-1][:2], self.values[-1][2] + data)
        elif "data-digest-of" in inside:
            self.digests[str(inside["data-digest-of"])] = data
        else:
            self.words.append(data)


def files_of(project: Project) -> dict[str, Path]:
    """The files of a run by the names that its document cites them by."""
    folder = project.path / "reports" / project.portfolio
    reports = document.Reports(*(folder / f"{name}.json" for name in document.Reports.__dataclass_fields__))
    found = document.gather(verify(project.data("evaluate", "release")), project.data("evaluate"), project.data("alternatives"),
                            project.data("ingest", "ingest.json"), reports)
    return {**found, document.PARAMS: project.path / document.PARAMS}


def read(project: Project) -> dict[str, Cited]:
    return document.load(files_of(project), import_module(f"feature_repo.portfolios.{project.portfolio}"))


def stale(page: Page, files: Mapping[str, Cited]) -> list[str]:
    """The values that are not what their source says."""
    return [f"{pointer}: {text!r}" for pointer, shown, text in page.values if text != _again(pointer, shown, files)]


def _again(pointer: str, shown: str, files: Mapping[str, Cited]) -> str:
    value = citation.find(files, pointer)
    return pointer.rpartition("/")[2].replace("~1", "/").replace("~0", "~") if shown == "key" else citation.formatted(value, shown)


def require_document(project: Project) -> Page:
    """A page whose every value is that of its source, whose digests are those of the files, and which says what it lacks."""
    page = Page((project.path / "reports" / project.portfolio / "model.html").read_text())
    paths = files_of(project)
    assert stale(page, read(project)) == []
    assert page.digests == {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in paths.items() if name != document.PARAMS}
    assert len(page.values) > 400
    words = re.sub(r"\s+", " ", " ".join(page.words))
    assert all(title in words for title in document.missing(paths))
    return page
