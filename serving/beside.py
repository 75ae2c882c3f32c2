"""The releases beside the champion of one worker: the challenger, which decides for a share, and the shadow, which answers nobody.

Responsible for following the record together with the champion, and for telling of both. Where the record cannot be read, what was allowed
goes on to its end. Knows no HTTP.
"""

from __future__ import annotations

from pathlib import Path

from feature_repo.portfolio import Portfolio
from governance.events import CHALLENGER, SHADOW
from governance.ledger.writer import Ledger
from serving.beside_metrics import BesideMetrics
from serving.candidate import Candidate, Shown, lent
from serving.champion import Champion
from serving.metrics import Metrics
from serving.permission import Permission
from serving.shadow import Shadow
from serving.split import Arms, arms


class Beside:
    """Both of them, and the shadow at work. most: decisions that may wait for the shadow."""

    def __init__(self, folder: Path, portfolio: Portfolio, permission: Permission, metrics: Metrics, work: tuple[Ledger, int]) -> None:
        self._permission = permission
        self._metrics = BesideMetrics(metrics.registry)
        self._candidates = {alias: Candidate(folder, portfolio, alias, permission, metrics.refused) for alias in (CHALLENGER, SHADOW)}
        ledger, most = work
        self.shadow = Shadow(self._candidates[SHADOW], portfolio, ledger, self._metrics, most)

    def look(self) -> None:
        """Follow the record."""
        standing = self._permission.standing()
        if standing is None:
            return
        for alias, candidate in self._candidates.items():
            candidate.follow(lent(standing, alias))
            now, shown = candidate.now, candidate.shown()
            self._metrics.used(alias, now.release.id if now else "", (shown and shown.share) or 1.0)

    def arms(self, champion: Champion) -> Arms:
        """Who decides whom from now on."""
        return arms(champion, self._candidates[CHALLENGER].lent)

    def shown(self) -> dict[str, Shown | None]:
        """What /v1/release tells, by alias."""
        return {alias: candidate.shown() for alias, candidate in self._candidates.items()}
