"""The pictures of a run as SVG inside a page: text stays text, the same table gives the same bytes, nothing is fetched."""

from __future__ import annotations

import io
import re
from pathlib import Path

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.figure import Figure

from training import pictures

SIZE = (4.8, 3.4)  # half a page wide, so that its letters are those of the text around it
CROWDED, SMALL = 12, 6.5
NOTHING_ELSE = dict.fromkeys(("Creator", "Date", "Format", "Type"))


def draw(plots: Path) -> dict[str, Markup]:
    """Table name -> drawing, for every table that `training.pictures` draws."""
    return {name: _svg(name, figure) for name, figure in pictures.draw(plots).items()}


def _svg(name: str, figure: Figure) -> Markup:
    """The svg element alone; the name keeps its ids apart from those of other drawings."""
    written = io.StringIO()
    if len(figure.axes) == 1 and len(figure.axes[0].get_yticklabels()) <= CROWDED:
        figure.set_size_inches(*SIZE)
    for axes in figure.axes:
        if len(axes.get_xticklabels()) > CROWDED:
            axes.tick_params(axis="x", labelsize=SMALL)
    with mpl.rc_context({"svg.hashsalt": name, "svg.fonttype": "none", "font.family": ["sans-serif"]}):
        figure.savefig(written, format="svg", metadata=NOTHING_ELSE)
    drawing = written.getvalue()[written.getvalue().index("<svg") :]
    named = re.sub(r'\b(id="|url\(#|href="#)', rf"\g<1>{name}-", re.sub(r"<style.*?</style>", "", drawing, flags=re.DOTALL))
    sized = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", named, count=1), count=1)
    return Markup(sized)  # noqa: S704 - drawn by matplotlib, which escapes the texts of the tables
