"""Connections to the server that keeps a ledger: kept while idle, replaced where they broke, given up where the server is gone.

Responsible for transactions that hold a log's lock, and for saying what is known when one fails. Refuses to wait for a server that does
not answer, and to say anything of its address: it may hold a password.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from threading import Lock
from typing import Any, TypeVar

import psycopg
from psycopg import Connection, sql
from psycopg.errors import LockNotAvailable
from psycopg.pq import TransactionStatus

from feature_repo.errors import LedgerError
from governance.ledger import tables

AT_A_TIME = 2000
Found = TypeVar("Found")


class Connections:
    """Those of one process to the server of one log."""

    def __init__(self, address: str, log: str) -> None:
        self.log = log
        self._address = address
        self._idle: list[Connection[Any]] = []
        self._lock = Lock()

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def rows(self, query: str, values: Sequence[object]) -> Iterator[Any]:
        """Rows of a query of any length, a few at a time, as they were when the first was read."""
        connection = self.do(alive, back=False)
        try:
            with connection.transaction(), connection.cursor("rows", scrollable=False) as cursor:
                cursor.itersize = AT_A_TIME
                cursor.execute(query.encode(), values, binary=True)
                yield from cursor
        except psycopg.Error as error:
            connection.close()
            raise unanswered(error) from None
        except BaseException:
            connection.close()
            raise
        self._give_back(connection)

    def do(self, do: Callable[[Connection[Any]], Found], *, back: bool = True) -> Found:
        """Do something that can be done again, with an idle connection; where that broke meanwhile, with a new one."""
        while True:
            connection, fresh = self._take()
            try:
                found = do(connection)
            except psycopg.OperationalError as error:
                connection.close()
                if fresh:
                    raise unanswered(error) from None
            except psycopg.Error as error:
                connection.close()
                raise unanswered(error) from None
            else:
                if back:
                    self._give_back(connection)
                return found

    @contextmanager
    def transaction(self, questions: Sequence[sql.Composed] = ()) -> Iterator[tuple[Connection[Any], list[list[Any]]]]:
        """A transaction that holds this log's lock, and the answers to the questions. What is not confirmed is said to be unknown."""
        connection, answers = self._begin(questions)
        try:
            yield connection, answers
            if connection.info.transaction_status != TransactionStatus.IDLE:
                connection.execute("COMMIT")
        except psycopg.OperationalError as error:
            connection.close()
            raise LedgerError(f"the ledger's server was lost while it wrote ({named(error)}); it may have been recorded") from None
        except psycopg.Error as error:
            connection.close()
            raise unanswered(error) from None
        except BaseException:
            connection.close()
            raise
        self._give_back(connection)

    def _begin(self, questions: Sequence[sql.Composed]) -> tuple[Connection[Any], list[list[Any]]]:
        """A connection in a transaction that waited for the lock, all in one message; a broken one is replaced."""
        lock = sql.SQL("SELECT pg_advisory_xact_lock({})").format(lock_of(self.log))
        message = sql.SQL("; ").join([sql.SQL("BEGIN"), lock, *questions])
        while True:
            connection, fresh = self._take()
            try:
                cursor = connection.execute(message)
                cursor.nextset()
                return connection, [cursor.fetchall() for _ in questions if cursor.nextset()]
            except psycopg.Error as error:
                connection.close()
                if fresh or not isinstance(error, psycopg.OperationalError) or isinstance(error, LockNotAvailable):
                    raise unanswered(error) from None

    def _take(self) -> tuple[Connection[Any], bool]:
        with self._lock:
            if self._idle:
                return self._idle.pop(), False
        return tables.connect(self._address), True

    def _give_back(self, connection: Connection[Any]) -> None:
        with self._lock:
            self._idle.append(connection)


def alive(connection: Connection[Any]) -> Connection[Any]:
    """The connection, where it still is one."""
    connection.execute("SELECT 1")
    return connection


def lock_of(log: str) -> int:
    """The number of a log's advisory lock."""
    return int.from_bytes(sha256(b"tallystick ledger " + log.encode()).digest()[:8], "big", signed=True)


def unanswered(error: psycopg.Error) -> LedgerError:
    return LedgerError(f"the ledger cannot be written or read: its server does not answer, or refuses ({named(error)}); see that it runs "
                       "and is the one TALLY_LEDGER names")


def named(error: psycopg.Error) -> str:
    """An error by its class and code: its message may quote an address or a value."""
    return f"{type(error).__name__} {error.sqlstate or ''}".rstrip()
