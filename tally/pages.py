"""The index of the report pages, and their headlines for a terminal."""

from __future__ import annotations

import html
import json
from pathlib import Path
from typing import Any

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Tallystick reports</title>
<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:3rem auto;padding:0 1rem;color:#1f2933}}h2{{margin-top:2.5rem}}
a{{color:#0b5cad}}li{{margin:.4rem 0}}</style>
<h1>Reports</h1><p>{dashboard}</p>{portfolios}</html>
"""


def headlines(folder: Path) -> list[str]:
    """What each report of a portfolio found, in words, its name before it."""
    return [line for path in sorted(folder.glob("*.json")) for line in (f"{path.stem}:", *(f"  {found}" for found in findings(path)))]


def findings(report: Path) -> list[str]:
    """The sentences a report begins with, without their markup."""
    content: dict[str, Any] = json.loads(report.read_text())
    return [str(sentence).replace("**", "") for sentence in content["found"]]


def write_index(reports: Path, dashboard: str = "") -> None:
    """Write reports/index.html: every portfolio, every report, its headline and a link; and links to the reports on windows.

    dashboard: its address where it runs; elsewhere the page says what starts it.
    """
    reports.mkdir(exist_ok=True)
    folders = sorted(path for path in reports.iterdir() if path.is_dir() and any(path.rglob("*.html")))  # others hold measurements
    sections = (f"<h2>{html.escape(folder.name)}</h2><ul>{''.join(map(_item, _in_order(folder)))}</ul>{_windows(folder)}"
                for folder in folders)
    (reports / "index.html").write_text(PAGE.format(portfolios="".join(sections), dashboard=_dashboard(dashboard)))


def _dashboard(address: str) -> str:
    starts = "<code>make monitor</code> starts it"
    if not address:
        return f"The same along time, window by window, is in Evidently's dashboard, which is not running: {starts}."
    link = f'<a href="{html.escape(address)}">Evidently\'s dashboard</a>'
    return f"The same along time, window by window: {link}, on this machine alone. <code>make stop</code> ends it, {starts}."


def _in_order(folder: Path) -> list[Path]:
    """Its pages, the summary first."""
    return sorted(folder.glob("*.html"), key=lambda page: (page.stem != "summary", page.stem))


def _windows(folder: Path) -> str:
    """The reports on windows of the record, the newest first; nothing where there are none."""
    items = []
    for window in sorted((folder / "monitoring").glob("*"), reverse=True):
        links = (f'<a href="{html.escape(page.relative_to(folder.parent).as_posix())}">{html.escape(page.stem)}</a>'
                 for page in sorted(window.rglob("*.html")))
        items.append(f"<li>{html.escape(window.name)}: {' '.join(links)}</li>")
    return f"<h3>Windows of the record</h3><ul>{''.join(items)}</ul>" if items else ""


def _item(page: Path) -> str:
    sentences = "".join(f"<li>{html.escape(sentence.removeprefix('- '))}</li>" for sentence in findings(page.with_suffix(".json")))
    return f'<li><a href="{page.parent.name}/{page.name}">{page.stem}</a><ul>{sentences}</ul></li>'
