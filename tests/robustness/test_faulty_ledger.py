"""A ledger that is locked, gone or full: no answer without its record, refusals that say when to come back, and well again by itself."""

from __future__ import annotations

import pytest
from faulty_ledger import REFUSED, Ran, copy_events, disk_full, examine, files_full, lock_held, server_gone, small_disk, through

from serving.settings import Settings

SECONDS, RECOVERY, NOISE = 2.5, 5.0, 1.0
DEADLINE = Settings(portfolio="any").deadline


def held(ran: Ran, folder, address: str = "") -> None:
    """What every fault of a ledger must leave true."""
    refused = [one for one in ran.during if one.status != 200]
    assert {one.status for one in ran.load.answers} <= {200, *REFUSED}
    assert len(refused) > len(ran.during) / 2
    assert all(int(one.retry_after) >= 1 for one in refused)
    assert max(one.took for one in ran.load.answers) < DEADLINE + NOISE
    assert ran.longest_queue <= Settings(portfolio="any").in_flight
    assert ran.recovery <= RECOVERY
    assert {one.status for one in ran.again.answers} <= {200, 429}
    found = examine(folder, ran, address)
    assert (found.unlogged, found.duplicates, found.broken) == (0, 0, [])


def probed(ran: Ran, path: int) -> set[int]:
    """What one of the probes said while the fault had lasted for a moment."""
    return {one.status for one in ran.probes.answers if one.number % 2 == path and ran.hurt + 0.2 < one.due < ran.healed - 1.2}


@pytest.fixture(scope="module")
def service(make_home, start):
    with start(make_home()) as running:
        yield running


def test_while_another_holds_the_lock_nothing_is_decided_and_nobody_waits_beyond_the_deadline(service):
    ran = through(service, lock_held, SECONDS, after=2.0)
    held(ran, service.folder)
    assert (probed(ran, 0), probed(ran, 1)) == ({200}, {503})


def test_while_no_file_may_grow_nothing_is_decided_and_it_goes_on_by_itself(service):
    ran = through(service, files_full, SECONDS, after=2.0)
    held(ran, service.folder)
    assert probed(ran, 0) == {200}


def test_on_a_full_disk_nothing_is_decided_the_service_says_not_ready_and_goes_on_when_space_is_freed(make_home, start):
    home = make_home()
    with small_disk(home / "card_default" / "ledger") as own, start(home) as running:
        ran = through(running, disk_full if own else files_full, SECONDS, after=2.0)
        held(ran, running.folder)
        assert probed(ran, 0) == {200}
        assert not own or probed(ran, 1) == {503}


def test_while_the_ledgers_server_is_gone_nothing_is_decided_and_it_goes_on_by_itself(make_home, start, postgres):
    address, home = postgres.make(), make_home()
    copy_events(home / "card_default", address)
    with start(home, TALLY_LEDGER=address) as running:
        ran = through(running, server_gone(postgres), SECONDS, after=2.0)
        held(ran, running.folder, address)
