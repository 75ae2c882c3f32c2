"""The desk as a server of this machine: `python -m tally.desk.server`, as `tally desk` starts it. Listens on 127.0.0.1 alone."""

from __future__ import annotations

import logging

import uvicorn

from tally import processes, servers
from tally.checkout import Checkout, here
from tally.desk.application import application, desk_of

LOOPBACK = "127.0.0.1"
MOST_AT_ONCE = 64


def serve() -> str:
    """Start the desk of this checkout; its address once it answers. Raises IdentityError where no desk's key is here."""
    from governance import enrolment

    checkout = here()
    desk_of(enrolment.place(checkout.home))
    return processes.ensure(servers.desk(checkout.home, checkout.portfolio.name), checkout.run)


def run(checkout: Checkout, port: int) -> None:
    """Answer until the process is ended. Neither addresses nor headers go into a log."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    uvicorn.run(application(checkout), host=LOOPBACK, port=port, access_log=False, server_header=False, log_level="warning",
                limit_concurrency=MOST_AT_ONCE, h11_max_incomplete_event_size=16 * 2**10)


if __name__ == "__main__":
    run(here(), servers.port("TALLY_RECORD_PORT", 3100))
