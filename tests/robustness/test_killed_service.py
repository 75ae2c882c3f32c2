"""Workers killed while clients ask: no answer without its record, no record without an answer or a mark, and a service back by itself."""

from __future__ import annotations

from mortal import WORKERS, examine, run

from serving.owed import SUFFIX


def test_killed_workers_leave_every_answer_recorded_and_every_record_answered_or_marked(make_home, start):
    with start(make_home(), TALLY_WORKERS=str(WORKERS)) as service:
        ran = run(service, decisions=600, kills=2, seed=16)
    found = examine(service.folder, ran)
    assert found.wrong == []
    assert len(ran.killed) == 2
    assert sum(each.answer is not None for each in ran.attempts) >= 600 * 3 // 4
    assert found.marked >= found.unanswered
    assert [*(service.folder / "answers").glob(f"*{SUFFIX}")] == []
