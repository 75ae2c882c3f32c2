"""Stored features in Redis: one hash an applicant as Feast keeps it, all views' fields in one HMGET, many applicants in one round trip.

Responsible for an answer within patience, whole and to this question: a connection that failed in any way is closed, so that no late
reply is ever taken for another applicant's. Nothing is asked twice. Connecting (names, passwords, TLS) is redis-py's; what is asked of
the open connection is spelled here, because a client's way through a command costs more than the server's answer.
"""

from __future__ import annotations

import select
import socket
import ssl
import time
from collections.abc import Sequence
from typing import Any

import hiredis
from redis.backoff import NoBackoff
from redis.connection import ConnectionPool
from redis.exceptions import RedisError
from redis.retry import Retry

from feature_repo.errors import FeatureError, ServiceError
from feature_repo.feast_bytes import redis_field, redis_key
from feature_repo.portfolio import Portfolio
from serving.online import vectors
from serving.online.store import Unreachable, Vector, empty

CHUNK = 2**16
NOT_YET = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
DBSIZE = b"*1\r\n$6\r\nDBSIZE\r\n"
PUBLISH = "publish the features"


class RedisFeatures:
    """The hashes of one portfolio. Threads share its connections; opens none until it reads."""

    def __init__(self, address: str, portfolio: Portfolio, patience: float) -> None:
        self._pool, self._patience = _pool(address, patience), patience
        self._project = portfolio.name
        self._names = tuple(empty(portfolio))
        fields = [redis_field(table.name, name) for table in portfolio.views for name in (table.as_of, *(one.name for one in table.stored))]
        self._before = f"*{len(fields) + 2}\r\n$5\r\nHMGET\r\n".encode()
        self._after = b"".join(map(_bulk, fields))
        self._idle: list[Line] = []

    def read(self, applicant: str) -> Vector:
        return self.read_many((applicant,))[0]

    def read_many(self, applicants: Sequence[str]) -> list[Vector]:
        if not self._names:
            return [{} for _ in applicants]
        question = b"".join([self._question(one) for one in applicants])
        return [self._vector(reply) for reply in self._ask(question, len(applicants))]

    def probe(self) -> None:
        """A real read, and whether anything is there: Redis has no tables that could be missing."""
        found, size = self._ask(self._question("") + DBSIZE, 2) if self._names else ([], 1)
        if self._names:
            self._vector(found)
        if size == 0:
            raise FeatureError(f"the online store is empty; {PUBLISH}")

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def _question(self, applicant: str) -> bytes:
        return self._before + _bulk(redis_key(self._project, applicant)) + self._after

    def _vector(self, reply: Any) -> Vector:
        if isinstance(reply, hiredis.ReplyError):
            raise Unreachable(f"the online store refused ({str(reply).partition(' ')[0]})")
        if not isinstance(reply, list):
            raise FeatureError(f"an applicant's online values are no hash of Feast's; {PUBLISH}")
        return dict(zip(self._names, vectors.values(reply), strict=True))

    def _ask(self, question: bytes, count: int) -> list[Any]:
        until = time.monotonic() + self._patience
        line = self._line()
        try:
            replies = line.ask(question, count, until)
        except BaseException as error:
            line.close()
            if isinstance(error, OSError | hiredis.ProtocolError):
                raise Unreachable(f"the online store did not answer ({type(error).__name__})") from None
            raise
        self._idle.append(line)
        return replies

    def _line(self) -> Line:
        """An open connection: an idle one whose other end is still there, or a new one."""
        while self._idle:
            try:
                line = self._idle.pop()
            except IndexError:  # another thread was quicker
                break
            if line.quiet():
                return line
            line.close()
        try:
            return Line(self._pool.connection_class(**self._pool.connection_kwargs))  # make_connection counts, and gives up after 100
        except (RedisError, OSError) as error:
            raise Unreachable(f"the online store cannot be reached ({type(error).__name__})") from None


class Line:
    """One connection to Redis, for one question at a time. Raises RedisError or OSError where it cannot be made.

    Never blocks but in a poll of its own: a socket with a timeout makes three system calls more a question.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        connection.connect()
        self._socket: socket.socket = connection._sock  # noqa: SLF001 - redis-py reads with a wait a packet, not with a deadline
        self._socket.settimeout(0)
        self._reader = hiredis.Reader()
        self._news, self._room = (_watch(self._socket, event) for event in (select.POLLIN, select.POLLOUT))

    def quiet(self) -> bool:
        """Whether nothing came that nobody asked for: an end, or a late word."""
        return not self._news.poll(0)

    def ask(self, question: bytes, count: int, until: float) -> list[Any]:
        """So many replies. Raises OSError where they have not all come by `until` (monotonic), hiredis' errors where they are none."""
        self._send(question, until)
        replies: list[Any] = []
        while len(replies) < count:
            self._reader.feed(self._come(until))
            while len(replies) < count and (reply := self._reader.gets()) is not False:
                replies.append(reply)
        return replies

    def close(self) -> None:
        self._connection.disconnect()

    def _send(self, question: bytes, until: float) -> None:
        left = memoryview(question)
        while left:
            try:
                left = left[self._socket.send(left):]
            except NOT_YET:
                _wait(self._room, until)

    def _come(self, until: float) -> bytes:
        """What came, or comes: TLS may have it already, where a poll would see nothing."""
        while True:
            try:
                came = self._socket.recv(CHUNK)
            except NOT_YET:
                _wait(self._news, until)
                continue
            if not came:
                raise ConnectionResetError
            return came


def _watch(of: socket.socket, event: int) -> select.poll:
    poll = select.poll()
    poll.register(of, event)
    return poll


def _wait(poll: select.poll, until: float) -> None:
    """Raises TimeoutError where nothing happens until then."""
    left = until - time.monotonic()
    if left <= 0 or not poll.poll(left * 1000):
        raise TimeoutError


def _bulk(raw: bytes) -> bytes:
    return b"$%d\r\n%b\r\n" % (len(raw), raw)


def _pool(address: str, patience: float) -> ConnectionPool:
    """How to connect, and nothing connected. Raises ServiceError."""
    try:
        return ConnectionPool.from_url(address, socket_timeout=patience, socket_connect_timeout=patience, retry=Retry(NoBackoff(), 0),
                                       health_check_interval=0, protocol=2, driver_info=None)
    except (ValueError, RedisError):
        raise ServiceError("TALLY_FEATURES: must be redis://, rediss:// or unix:// and where Redis is, or empty: SQLite") from None
