"""Feast's Redis hashes, filled as Feast fills them, compared and written by the server in one step.

Responsible for a script that looks at a hash's event time (`_ts:<view>`) and writes the view whole or not at all, atomically. When a row
was created stands beside it (`_created:<view>`), which Feast has no place for and does not mind. Retries nothing: who waits for a silent
server decides how long.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import repeat
from typing import NamedTuple

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from feature_repo.errors import FeatureError
from feature_repo.feast_bytes import DOUBLE_FIELD, Value, encode, encode_time, redis_field, redis_key, redis_time
from feature_repo.writers import SECOND, Rows, View, Writer

AT_ONCE = 100  # applicants a script writes while nobody else is answered: a millisecond or two
# KEYS: hashes. ARGV: the fields of event time and created time, how many fields a row has, those; then of each row the event time as
# Feast writes it, the created time (microseconds, or nothing) and the values. Answers how many rows were newer.
SCRIPT = """
local function moment(raw)
  local found, at = {[8] = 0, [16] = 0}, 1
  while at <= #raw do
    local field, number, inverse, scale, length = raw:byte(at), 0, 0, 1, 0
    repeat
      at, length = at + 1, length + 1
      local byte = raw:byte(at)
      number = number + byte % 128 * scale
      if length < 10 then inverse = inverse + (127 - byte % 128) * scale end
      scale = scale * 128
    until byte < 128
    found[field] = length < 10 and number or -inverse - 1
    at = at + 1
  end
  return found[8], found[16]
end
local count, at, newer, said = tonumber(ARGV[3]), 3 + tonumber(ARGV[3]), 0, {'HSET'}
for field = 1, count do said[5 + 2 * field] = ARGV[3 + field] end
for row = 1, #KEYS do
  local time, created = ARGV[at + 1], ARGV[at + 2]
  local there = redis.call('HMGET', KEYS[row], ARGV[1], ARGV[2])
  local take = not there[1]
  if there[1] == time then
    take = not tonumber(created) or not tonumber(there[2] or '') or tonumber(created) >= tonumber(there[2])
  elseif there[1] then
    local seconds, nanos = moment(time)
    local then_seconds, then_nanos = moment(there[1])
    take = seconds > then_seconds or (seconds == then_seconds and nanos > then_nanos)
  end
  if take then
    said[2], said[3], said[4], said[5], said[6] = KEYS[row], ARGV[1], time, ARGV[2], created
    for field = 1, count do said[6 + 2 * field] = ARGV[at + 2 + field] end
    redis.call(unpack(said))
    newer = newer + 1
  end
  at = at + 2 + count
end
return newer
"""

SHA = hashlib.sha1(SCRIPT.encode()).hexdigest().encode()  # noqa: S324 - what Redis calls a script by
NUMBER = struct.Struct("<4sBd2s")
NOTHING = b"$0\r\n\r\n"


class Prepared(NamedTuple):
    """Rows as arguments, as they go over the wire. head: what they have in common; width: arguments a row."""

    view: View
    keys: list[bytes]
    head: list[bytes]
    rows: list[bytes]
    width: int


class RedisWriter(Writer):
    """Writes to one server."""

    def __init__(self, address: str, patience: float) -> None:
        try:
            self._client = redis.Redis.from_url(address, socket_timeout=patience, socket_connect_timeout=patience,
                                                retry=Retry(NoBackoff(), 0), health_check_interval=0)
        except ValueError:
            raise FeatureError("the address of the online features is none of Redis: redis://host:port/database or unix://path") from None

    def prepare(self, view: View, rows: Rows) -> Prepared:
        rows = rows.newest()
        head = [redis_time(view.name), b"_created:" + view.name.encode(), b"%d" % (len(view.columns) + 1),
                *(redis_field(view.name, name) for name in (view.as_of, *view.columns))]
        times = [_argument(encode_time(time)) for time in rows.times]
        created = [NOTHING if moment is None else _argument(b"%d" % moment) for moment in rows.created]
        columns = [_arguments([time / SECOND for time in rows.times]), *map(_arguments, rows.values)]
        keys = [_argument(redis_key(view.project, applicant)) for applicant in rows.applicants]
        return Prepared(view, keys, head, list(map(b"".join, zip(times, created, *columns, strict=True))), 2 + len(columns))

    def commit(self, prepared: Prepared, progress: tuple[str, int] | None = None) -> int:
        with self._reported():
            newer = sum(self._answers(list(_commands(prepared))))
            if progress:
                self._client.hset(progress_key(prepared.view), mapping={"publication": progress[0], "come": progress[1]})
        return newer

    def progress(self, view: View, publication: str) -> int:
        with self._reported():
            found, come = self._client.hmget(progress_key(view), "publication", "come")
        return int(come or 0) if found == publication.encode() else 0

    def close(self) -> None:
        self._client.close()

    def _answers(self, commands: list[bytes]) -> list[int]:
        """What the server answers to commands that are packed already: packing them one by one takes as long as all the rest."""
        connection = self._client.connection_pool.get_connection()
        try:
            connection.send_packed_command([_packed(b"SCRIPT", b"LOAD", SCRIPT.encode()), *commands])  # type: ignore[no-untyped-call]
            connection.read_response()
            return [int(connection.read_response()) for _ in commands]
        except BaseException:
            connection.disconnect()  # type: ignore[no-untyped-call]
            raise
        finally:
            self._client.connection_pool.release(connection)

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except redis.RedisError as error:
            raise FeatureError(f"online features in Redis cannot be written ({type(error).__name__}); does the server answer?") from None


def _commands(prepared: Prepared) -> Iterator[bytes]:
    """A call of the script for so many applicants at once."""
    for start in range(0, len(prepared.keys), AT_ONCE):
        some = slice(start, start + AT_ONCE)
        keys, rows = prepared.keys[some], prepared.rows[some]
        begin = [b"EVALSHA", SHA, b"%d" % len(keys)]
        arguments = len(begin) + len(keys) + len(prepared.head) + len(rows) * prepared.width
        yield b"".join([b"*%d\r\n" % arguments, *map(_argument, begin), *keys, *map(_argument, prepared.head), *rows])


def _packed(*arguments: bytes) -> bytes:
    return b"".join([b"*%d\r\n" % len(arguments), *map(_argument, arguments)])


def _argument(raw: bytes) -> bytes:
    """As Redis takes an argument."""
    return b"$%d\r\n%b\r\n" % (len(raw), raw)


def _arguments(column: Sequence[Value]) -> list[bytes]:
    """A column as Feast writes its values, as arguments."""
    try:
        return list(map(NUMBER.pack, repeat(b"$9\r\n"), repeat(DOUBLE_FIELD), column, repeat(b"\r\n")))
    except struct.error:  # not numbers alone
        return [NOTHING if value is None else _argument(encode(value)) if isinstance(value, str) else
                NUMBER.pack(b"$9\r\n", DOUBLE_FIELD, value, b"\r\n") for value in column]


def progress_key(view: View) -> str:
    """Where it stands how far a publication of the view has come."""
    return f"tally:publishing:{view.project}:{view.name}"
