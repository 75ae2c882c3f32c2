"""Stored features in Redis where it refuses, is silent, trickles or is back: one patience, one question, never another's reply."""

from __future__ import annotations

import logging
import socket
import threading
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from redis_server import Server

from feature_repo.errors import FeatureError
from feature_repo.feast_bytes import redis_field, redis_key
from feature_repo.writers import Rows, view_of, writer
from serving.online.breaker import FAILURES, PAUSE, Guarded
from serving.online.redis import RedisFeatures
from serving.online.store import NotAsked, Unreachable

PATIENCE = 0.05
NOISE = 2.0  # of a machine that is shared


def test_a_store_that_refuses_is_an_error_without_its_password_and_does_not_wait(harbour, free_port):
    store = RedisFeatures(f"redis://user:s3cret@127.0.0.1:{free_port}/0", harbour, PATIENCE)
    began = time.perf_counter()
    with pytest.raises(Unreachable) as error:
        store.read("anna")
    assert "s3cret" not in str(error.value)
    assert time.perf_counter() - began < PATIENCE + NOISE


def test_a_silent_store_costs_one_patience_and_is_asked_once(harbour, server):
    store = RedisFeatures(server.address, harbour, PATIENCE)
    store.read("anna")
    before = server.client.info("commandstats")["cmdstat_hmget"]["calls"]
    for fresh in (False, True):
        server.stop()
        began = time.perf_counter()
        with pytest.raises(Unreachable):
            store.read("anna")
        took = time.perf_counter() - began
        server.go_on()
        assert PATIENCE <= took < PATIENCE + NOISE, fresh
    assert set(store.read("anna").values()) == {None}
    assert server.client.info("commandstats")["cmdstat_hmget"]["calls"] <= before + 3


def test_a_store_behind_tls_or_a_socket_file_is_read_whole_for_one_and_for_many(harbour, free_ports, tmp_path):
    """An answer of many is larger than what TLS or a read brings at once."""
    certificate(tmp_path)
    plain, secret = free_ports(2)
    server = Server(tmp_path, plain, "--tls-port", str(secret), "--tls-cert-file", f"{tmp_path}/cert.pem", "--tls-key-file",
                    f"{tmp_path}/key.pem", "--tls-auth-clients", "no", "--unixsocket", f"{tmp_path}/redis.sock")
    people = [f"p{number}" for number in range(3_000)]
    try:
        with writer(Path(), server.address) as online:
            for table in harbour.views:
                values = [["x" if column.is_level else float(row) for row in range(len(people))] for column in table.stored]
                online.write(view_of(harbour, table), Rows(people, [10**15] * len(people), [None] * len(people), values))
        for address in (f"rediss://127.0.0.1:{secret}/0?ssl_ca_certs={tmp_path}/cert.pem", f"unix://{tmp_path}/redis.sock"):
            with closing(RedisFeatures(address, harbour, 30.0)) as store, closing(RedisFeatures(server.address, harbour, 30.0)) as other:
                found = store.read_many(people)
                assert found == other.read_many(people)
                assert None not in found[-1].values()
                assert store.read(people[7]) == found[7]
    finally:
        server.end()


def certificate(folder: Path) -> None:
    """A certificate of 127.0.0.1 that signs itself, for a day."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name, here = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "here")]), x509.IPAddress(ip_address("127.0.0.1"))
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
            .not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([here]), critical=False).sign(key, hashes.SHA256()))
    (folder / "cert.pem").write_bytes(made.public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def test_a_server_that_trickles_is_given_up_at_the_deadline(harbour):
    """A wait for each packet would never end: a byte always comes in time."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        def trickle() -> None:
            with listening.accept()[0] as client:
                client.recv(4096)
                try:
                    while True:
                        client.sendall(b"*")
                        time.sleep(PATIENCE / 5)
                except OSError:
                    return

        talking = threading.Thread(target=trickle, daemon=True)
        talking.start()
        began = time.perf_counter()
        with pytest.raises(Unreachable):
            RedisFeatures(f"redis://127.0.0.1:{listening.getsockname()[1]}/0", harbour, PATIENCE).read("anna")
        assert time.perf_counter() - began < PATIENCE + NOISE
        talking.join(5)


def test_a_server_that_was_started_again_is_read_at_once(harbour, server):
    store = RedisFeatures(server.address, harbour, 5.0)
    store.read("anna")
    server.end()
    server.begin()

    assert set(store.read("anna").values()) == {None}


def test_however_many_connections_broke_it_makes_another(harbour, redis_server):
    store = RedisFeatures(redis_server.address, harbour, 5.0)
    for _ in range(150):  # redis-py's pool counts what it ever made, up to 100
        store.read("anna")
        redis_server.client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")

    assert set(store.read("anna").values()) == {None}
    store.close()


def test_a_circuit_opens_after_failures_in_a_row_tries_once_a_pause_and_says_so_once(harbour, server, caplog):
    told: list[str] = []
    store = Guarded(RedisFeatures(server.address, harbour, PATIENCE), told.append)
    store.read("anna")
    server.stop()
    with caplog.at_level(logging.WARNING, "tally.serving"):
        for _ in range(FAILURES):
            with pytest.raises(Unreachable):
                store.read("anna")
        began = time.perf_counter()
        with pytest.raises(NotAsked):
            store.read("anna")
        assert time.perf_counter() - began < PATIENCE
        time.sleep(PAUSE)
        outcomes = together(8, lambda: store.read("anna"))
        assert (outcomes.count(Unreachable), outcomes.count(NotAsked)) == (1, 7)
        server.go_on()
        healed = time.perf_counter()
        while True:
            try:
                store.read("anna")
            except Unreachable:
                assert time.perf_counter() - healed < 2 + NOISE
                time.sleep(0.02)
            else:
                break
    assert told == ["closed", "open", "half-open", "open", "half-open", "closed"]
    assert [record.message.split(" (")[0] for record in caplog.records] == ["the online store does not answer",
                                                                              "the online store answers again"]
    assert "anna" not in caplog.text


def together(count: int, ask) -> list[type | None]:
    """What became of so many calls that began at once."""
    gate, outcomes = threading.Barrier(count), []

    def one() -> None:
        gate.wait()
        try:
            ask()
        except Exception as error:  # noqa: BLE001 - its kind is the question
            outcomes.append(type(error))
        else:
            outcomes.append(None)

    threads = [threading.Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def test_what_the_store_answers_wrongly_opens_nothing(harbour, redis_server):
    told: list[str] = []
    table = harbour.views[0]
    redis_server.client.hset(redis_key(harbour.name, "odd one"), redis_field(table.name, table.as_of), b"\x18\x05")
    store = Guarded(RedisFeatures(redis_server.address, harbour, 5.0), told.append)
    for _ in range(2 * FAILURES):
        with pytest.raises(FeatureError, match="publish"):
            store.read("odd one")
    assert told == ["closed"]
