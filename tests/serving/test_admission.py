"""Guarantees of admission: many times too much costs little goodput and no patience, bursts are let in, a stall bounds what waits.

Goals of the shape "at five times the rate" are of a worker alone with its processor: on a clock of its own, or the rest of the machine
is measured.
"""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st
from waiting_line import Worker

from serving.admission import BURST, GAIN, Admission, Reason

QUICK_DISK, SLOW_DISK = (0.0008, 0.001), (0.0008, 0.02)
KEPT, NO_LONGER = 0.9, 2.0
WANTED = 200
MEASURED_AGAIN = 12.0  # seconds after which it was, at the latest
ALWAYS = 8  # decisions in flight that docs/reliability.md says are let in whatever was measured


def let_in(admission: Admission) -> int:
    """How many are begun of so many that come at one moment."""
    with ExitStack() as held:
        for begun in range(WANTED):
            if reason := admission.objection():
                assert (reason, admission.retry_after()) == (Reason.WAIT, "1")
                return begun
            held.enter_context(admission.flight(1))
    return WANTED


@pytest.mark.parametrize(("processor", "flush"), [QUICK_DISK, (0.0008, 0.003), SLOW_DISK, (0.0003, 0.0005)])
def test_five_times_too_much_keeps_nine_tenths_of_the_goodput_and_answers_at_most_half_as_quickly(processor, flush):
    unloaded = Worker(processor, flush).ask(0.5 / processor, 4)
    told = Worker(processor, flush).ask(5 / processor, 4)
    assert unloaded.refused == []
    assert told.goodput >= KEPT / processor
    assert told.p99 <= NO_LONGER * unloaded.p99


@pytest.mark.parametrize("share", [0.5, 0.7])
def test_what_the_worker_can_do_is_refused_nowhere_whatever_its_disk(share):
    for processor, flush in (QUICK_DISK, SLOW_DISK):
        assert Worker(processor, flush).ask(share / processor, 4).refused == []


def test_what_a_decision_takes_alone_is_measured_again_while_the_queue_stands():
    worker = Worker(*SLOW_DISK)
    worker.ask(3 / 0.0008, 2)
    slow = worker.admission.limit
    worker._flush = QUICK_DISK[1]
    worker.ask(3 / 0.0008, MEASURED_AGAIN)
    assert worker.admission.limit < slow / 3


def test_a_decision_that_takes_longer_alone_than_it_did_is_noticed_though_the_least_is_remembered():
    worker = Worker(*QUICK_DISK)
    worker.ask(3 / 0.0008, 2)
    quick = worker.admission.limit
    worker._flush = SLOW_DISK[1]
    worker.ask(3 / 0.0008, MEASURED_AGAIN)
    assert worker.admission.limit > 3 * quick


def test_eight_are_let_in_while_the_queue_stands_though_fewer_would_keep_the_worker_busy():
    worker = Worker(0.01, 0.001)
    worker.ask(500, 4)
    assert GAIN * worker.admission._rate.best * worker.admission._alone.took < ALWAYS - 2
    assert worker.most_in_flight > ALWAYS, "a burst before"
    assert worker.admission._calm.over
    with worker.admission.flight(ALWAYS - 1):
        assert worker.admission.objection() is None
        with worker.admission.flight(1):
            assert worker.admission.objection() is Reason.WAIT


@pytest.mark.parametrize("callers", [16, 30])
def test_callers_who_wait_for_their_answers_are_refused_nowhere_and_soon_not_any_more_after_a_stall(callers):
    worker = Worker(*QUICK_DISK)
    worker.ask(100, 2)
    assert worker.ask_together(callers, 5).refused == []
    worker.stuck = (worker.now, worker.now + 1)
    assert worker.ask_together(60, 1.2).refused != []
    worker.ask_together(callers, MEASURED_AGAIN)
    assert worker.ask_together(callers, 20).refused == []


def test_a_burst_is_let_in_where_it_can_be_worked_off_within_the_deadline():
    worker = Worker(*QUICK_DISK)
    worker.ask(100, 2)
    assert let_in(worker.admission) == WANTED


def test_what_would_wait_beyond_the_deadline_is_refused_at_once_even_in_a_burst():
    worker = Worker(0.01, 0.001, deadline=0.5)
    worker.ask(90, 4)
    assert 0.5 / 0.01 * 0.5 <= let_in(worker.admission) <= 0.5 / 0.01 * 1.5


def test_a_disk_that_stands_still_bounds_what_waits_and_is_recovered_from_within_a_second():
    worker = Worker(*QUICK_DISK)
    worker.ask(600, 2)
    began = worker.now
    worker.stuck = (began + 1, began + 21)
    told = worker.ask(600, 25)
    assert worker.most_in_flight <= 0.3 * 600, "BURST of it, and what is admitted until the stall shows in the rate"
    assert any(due > began + 1.5 for due in told.refused)
    assert [due for due in told.refused if due > began + 22] == []


def test_places_are_bounded_whatever_the_rate():
    admission = Admission(2, 1.0, lambda: 0.0)
    with admission.place(), admission.place():
        assert admission.objection() is Reason.PLACES
    assert admission.objection() is None


@given(st.lists(st.tuples(st.floats(0, 0.5), st.integers(1, 100), st.booleans()), max_size=60))
def test_few_are_always_let_in_and_what_left_is_not_counted(steps):
    now = [0.0]
    admission, held = Admission(256, 0.1, lambda: now[0]), []
    for pause, count, leaves in steps:
        now[0] += pause
        if admission.decisions < ALWAYS and not held:
            assert admission.objection() is None
        if leaves and held:
            flight, told = held.pop(0)
            told.made = True
            flight.__exit__(None, None, None)
        else:
            flight = admission.flight(count)
            held.append((flight, flight.__enter__()))
        assert 1 <= int(admission.retry_after()) <= 30
    for flight, _ in held:
        flight.__exit__(None, None, None)
    now[0] += BURST
    assert (admission.decisions, admission.objection()) == (0, None)
