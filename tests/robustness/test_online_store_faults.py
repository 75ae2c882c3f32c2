"""An online store that is refused, silent, slow or killed: answers in time and by policy, no vector of two writes, and well by itself."""

from __future__ import annotations

from faulty_store import FAULTS, HEALTHY, recorded, world

from serving.online.reads import THREADS
from serving.settings import Settings

SECONDS, WELL, RATE = 1.5, 2.5, 60.0
DEADLINE = Settings(portfolio="any").features_patience + 0.05
NOISE = 0.4  # of a machine that is shared; the soak has none
RECOVERY = 2.0


def test_a_store_that_fails_costs_no_answer_no_deadline_and_mixes_nothing(tmp_path, free_port, make_release):
    with world(tmp_path, free_port, make_release, RATE) as found:
        for name in FAULTS:
            found.hurt(name, SECONDS, WELL)

    told = recorded(found.service.folder)
    assert {one.status for one in found.answers} == {200}
    assert told.wrong == []
    assert told.read > RATE
    assert told.unreachable > RATE
    assert told.generations > len(FAULTS)
    assert all(any(one.degraded for one in found.answers if one.phase == name) for name in FAULTS)
    assert {name: seconds for name in FAULTS if (seconds := found.slowest(name)) > DEADLINE + NOISE} == {}
    assert {name: seconds for name in FAULTS if (seconds := found.recovery(name)) > RECOVERY + NOISE} == {}
    assert max(found.threads.values()) <= found.threads[HEALTHY] + THREADS
