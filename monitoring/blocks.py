"""What a page of monitoring is made of, as data: blocks and figures.

Responsible for pages being put together without what draws them, which takes seconds to import. Draws nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Block:
    """One part of a page.

    kind: "text" (a column `text` of Markdown), "counters" (label, value), "table", or a name in `plots.CHARTS`;
    half: it takes half the width.
    """

    title: str
    kind: str
    table: pd.DataFrame
    half: bool = False


@dataclass(frozen=True)
class Page:
    """A report: blocks from the top, and figures (column, measure, value) that Evidently can plot over time."""

    name: str
    blocks: tuple[Block, ...]
    figures: pd.DataFrame
