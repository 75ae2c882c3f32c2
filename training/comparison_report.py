"""What a comparison found, in sentences, and its tables for plots. Says sizes and intervals; whether they suffice is a gate's to say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from governance.release import Release
from training import comparison
from training.comparison import Seen, Subject
from training.swaps import ENTERS, LEAVES, Side

COLUMNS = ("side", "applicants", "share", "rows", "bads", "bad_rate", "low", "high", "mean_pd")
NO_CHAMPION = "No version is the champion yet, so there is nothing to compare the challenger with. After a promotion this page compares."
SAME = "The challenger is the champion: both are release {}. A changed model, policy or data makes another one."
OTHER = ("The champion was made for another interface, so this code cannot score it: {}. Compare the reports of both releases, "
         "or score the champion with the code it was made with.")


def told(subject: Subject, champion: Release | None, challenger: Release) -> tuple[list[str], dict[str, Any] | None]:
    """Sentences, and the figures where there is something to compare and this code can score it."""
    if champion is None:
        return [NO_CHAMPION], None
    if champion.id == challenger.id:
        return [SAME.format(champion.id[:12])], None
    if not comparison.same_interface(champion, challenger):
        return [OTHER.format("; ".join(comparison.differences(champion, challenger)))], None
    compared = comparison.compare(subject, champion, challenger)
    return findings(compared), compared


def findings(compared: dict[str, Any]) -> list[str]:
    """The comparison in a few sentences; compared: what comparison.compare found."""
    return list(_sentences(compared))


def table(compared: dict[str, Any] | None) -> str:
    """swaps.csv: sides of the swap set with a known outcome, as `dvc plots` draws bad rates; mean_pd is the challenger's of the known."""
    lines = [(each.name, each.applicants, each.share, each.known, each.bads, each.bad_rate, each.low, each.high, each.challenger_pd_known)
             for each in (compared["swap"]["sides"] if compared else ()) if each.known]
    return "\n".join([",".join(COLUMNS), *(",".join(map(_plain, line)) for line in lines)]) + "\n"


def _sentences(compared: dict[str, Any]) -> Iterator[str]:
    swap, changed = compared["swap"], compared["swap"]["attribution"]
    yield _of_test(compared["test"]["all"])
    if compared["seen"].rows != 0:
        yield _of_seen(compared["seen"])
    challenger, champion = (f"{swap['approval_rate'][who]:.1%}" for who in ("challenger", "champion"))
    yield (f"Of {swap['applicants']:,} applications of the test's time the challenger approves {challenger}, the champion {champion}. "
           f"{changed.changed:,} change sides, {changed.model:,} of them by the model and {changed.policy:,} by the cut-off.")
    yield _of_profit(swap)
    yield from (_of_side(side) for side in swap["sides"] if side.name in {ENTERS, LEAVES} and side.applicants)


def _of_test(found: dict[str, Any]) -> str:
    champion, challenger, gap = found["champion"], found["challenger"], found["auc_difference"]
    return (f"Test, {champion['rows']:,} outcomes: Gini {challenger['gini']:.3f} against the champion's {champion['gini']:.3f}; "
            f"AUC {gap['value']:+.4f} ({gap['low']:+.4f} to {gap['high']:+.4f}), {_verdict(gap)}. "
            f"ECE {challenger['ece']:.4f} against {champion['ece']:.4f}.")


def _of_seen(seen: Seen) -> str:
    if seen.rows is None:
        return f"Whether the champion has seen the test cannot be told: {seen.why}. That would flatter it."
    return f"The champion may have seen {seen.rows:,} of them, which flatters it: {seen.why}."


def _of_profit(swap: dict[str, Any]) -> str:
    expected, known = swap["profit"][1], swap["profit"][2]
    unit = f"in units of {swap['amount']}" if swap["amount"] else "in loans, for the contract names no amount"
    return (f"Expected profit, {unit}: {expected.difference:+,.2f} by the challenger's PDs ({expected.champion:,.2f} to "
            f"{expected.challenger:,.2f}); on {known.applicants:,} known outcomes {known.difference:+,.2f}.")


def _of_side(side: Side) -> str:
    if not side.known:
        return f"{side.name.capitalize()}: {side.applicants:,}, of whom no outcome is known."
    expected = f"the challenger expected {side.challenger_pd_known:.1%} and the champion {side.champion_pd_known:.1%}"
    return (f"{side.name.capitalize()}: {side.applicants:,}; of {side.known:,} known outcomes {side.bad_rate:.1%} are bad "
            f"({side.low:.1%} to {side.high:.1%}), where {expected}.")


def _verdict(gap: dict[str, float]) -> str:
    if gap["low"] > 0:
        return "the challenger ranks better"
    return "the champion ranks better" if gap["high"] < 0 else "no difference beyond chance"


def _plain(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else "" if value is None else str(value)
