"""The tables of the ledger in PostgreSQL, in a schema of their own, and a connection that is good enough to keep a record.

Triggers refuse every UPDATE, DELETE and TRUNCATE but the erasure of a decision's or shadow's payload; who drops them is found by the tree.
Refuses a server whose commits are not on its disk.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import Connection

from feature_repo.errors import LedgerError
from governance.ledger.entries import OF_PEOPLE

SECONDS = 5
MAKING = 0x7461_6C6C_79
SETTINGS = """SET search_path = tallystick, pg_catalog; SET synchronous_commit = on; SET client_encoding = 'UTF8';
    SET lock_timeout = '15s'; SET idle_in_transaction_session_timeout = '60s'"""
REACHED: dict[str, Any] = {"connect_timeout": SECONDS, "tcp_user_timeout": SECONDS * 1000, "keepalives_idle": SECONDS,
                           "keepalives_interval": 1, "keepalives_count": 3, "application_name": "tallystick"}
EVENTS = " AND ".join(f"kind <> '{kind}'" for kind in OF_PEOPLE)
INDEX = f"CREATE INDEX events ON entries (log, period, seq) WHERE {EVENTS};\n"
ERASING = f"""
CREATE OR REPLACE FUNCTION only_erase() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF old.kind IN {OF_PEOPLE} AND (new.log, new.period, new.seq, new.kind, new.id, new.recorded_at, new.commitment)
        = (old.log, old.period, old.seq, old.kind, old.id, old.recorded_at, old.commitment)
        AND new.body = '' AND new.salt = '' AND new.idempotency_key IS NULL AND new.request_digest IS NULL
    THEN RETURN new; END IF;
    RAISE EXCEPTION 'the ledger is append-only'; END $$;
"""
TABLES = """
CREATE SCHEMA IF NOT EXISTS tallystick;
CREATE TABLE entries (
    log text COLLATE "C", period text COLLATE "C", seq bigint, kind text NOT NULL, id text COLLATE "C" NOT NULL,
    recorded_at text COLLATE "C" NOT NULL, idempotency_key text COLLATE "C", request_digest text, body bytea NOT NULL, salt bytea NOT NULL,
    commitment bytea NOT NULL, PRIMARY KEY (log, period, seq), UNIQUE (log, id, period), UNIQUE (log, idempotency_key, period)
);
CREATE TABLE tiles (
    log text COLLATE "C", period text COLLATE "C", level int, number bigint, root bytea NOT NULL, hashes bytea NOT NULL,
    PRIMARY KEY (log, period, level, number)
);
CREATE TABLE checkpoints (log text COLLATE "C", period text COLLATE "C", size bigint, note text NOT NULL, PRIMARY KEY (log, period, size));
CREATE FUNCTION months(wanted text, newest int) RETURNS SETOF text LANGUAGE sql STABLE AS $$
    WITH RECURSIVE found AS (
        SELECT greatest((SELECT max(period) FROM entries WHERE log = wanted),
                        (SELECT max(period) FROM checkpoints WHERE log = wanted)) AS period
        UNION ALL SELECT greatest((SELECT max(period) FROM entries WHERE log = wanted AND entries.period < found.period),
                                  (SELECT max(period) FROM checkpoints WHERE log = wanted AND checkpoints.period < found.period))
            FROM found WHERE found.period IS NOT NULL
    ) SELECT period FROM found WHERE period IS NOT NULL LIMIT newest $$;
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$;
"""
BEFORE_UPDATE = "CREATE TRIGGER only_erase BEFORE UPDATE ON entries FOR EACH ROW EXECUTE FUNCTION only_erase();\n"
SCHEMA = TABLES + INDEX + ERASING + BEFORE_UPDATE + "".join(
    f"CREATE TRIGGER no_{verb.split()[0].lower()} BEFORE {verb} ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse();\n"
    for table, verb in (("entries", "DELETE"), ("entries", "TRUNCATE"), ("tiles", "UPDATE OR DELETE OR TRUNCATE"),
                        ("checkpoints", "UPDATE OR DELETE OR TRUNCATE"))
)


def connect(address: str) -> Connection[Any]:
    """A connection whose commits are durable, to a server with the ledger's tables. Raises LedgerError within a few seconds."""
    try:
        connection = psycopg.connect(address, autocommit=True, **REACHED)
    except psycopg.Error as error:
        raise LedgerError(f"the ledger cannot be written or read: its PostgreSQL server does not answer ({type(error).__name__}); see "
                          "that it runs, and that TALLY_LEDGER is postgresql://user@host/database") from None
    try:
        connection.execute(SETTINGS)
        _require_sync(connection)
        _make(connection)
    except psycopg.Error as error:
        connection.close()
        raise LedgerError(f"the ledger's tables cannot be made or read ({type(error).__name__} {error.sqlstate or ''}); let the user of "
                          "TALLY_LEDGER create a schema in that database") from None
    except LedgerError:
        connection.close()
        raise
    return connection


def _require_sync(connection: Connection[Any]) -> None:
    if connection.execute("SHOW fsync").fetchone() != ("on",):
        raise LedgerError("the ledger's PostgreSQL server runs with fsync off: what it commits is not on its disk; set fsync = on")


def _make(connection: Connection[Any]) -> None:
    """Make the tables where there are none yet, and let older ones hold shadows too; one process at a time.

    Asks the catalogue's own table: to_regclass answers the one who waited from what it knew before.
    """
    if not _lacking(connection):
        return
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (MAKING,))
        connection.execute(_lacking(connection).encode())


def _lacking(connection: Connection[Any]) -> str:
    """What is to be run until the tables are these; nothing where they are."""
    found = connection.execute("SELECT prosrc FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace "
                               "WHERE nspname = 'tallystick' AND proname = 'only_erase'").fetchone()
    if found is None:
        return SCHEMA
    return "" if all(kind in found[0] for kind in OF_PEOPLE) else f"DROP INDEX IF EXISTS events; {INDEX}{ERASING}"
