"""Guarantees of asking a real MLflow server for its aliases: what they name, set to another version, and never a long wait."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from registry import Registry, running

from feature_repo.errors import ServiceError
from governance.aliases import Named, Rest

MODEL = "loans"


@pytest.fixture(scope="module")
def registry(tmp_path_factory) -> Iterator[Registry]:
    """Two versions: the first carries a release, the second was registered by hand."""
    with running(tmp_path_factory.mktemp("mlflow")) as server:
        post(server, "registered-models/create", name=MODEL)
        for tags in ([{"key": "release_id", "value": "abc"}], []):
            post(server, "model-versions/create", name=MODEL, source="s3://models/loans", tags=tags)
        yield server


def post(server: Registry, path: str, **said: object) -> None:
    httpx.post(f"{server.url}/api/2.0/mlflow/{path}", json=said, timeout=30).raise_for_status()


def test_an_alias_names_a_version_and_the_release_in_it(registry):
    registry.let(MODEL, "1")
    with Rest(registry.url, MODEL) as aliases:
        assert aliases.named("champion") == Named("1", "abc")
        registry.let(MODEL, "2")
        assert aliases.named("champion") == Named("2", "")


def test_an_alias_that_was_never_set_names_nothing_nor_does_one_of_an_unknown_model(registry):
    with Rest(registry.url, MODEL) as known, Rest(registry.url, "others") as unknown:
        assert (known.named("nobody"), unknown.named("champion")) == (None, None)


def test_an_alias_is_set_as_the_ui_sets_it(registry):
    with Rest(registry.url, MODEL) as aliases:
        aliases.let("champion", "1")
    assert registry.named(MODEL) == "1"


def test_a_version_that_is_not_there_cannot_be_named(registry):
    with Rest(registry.url, MODEL) as aliases, pytest.raises(ServiceError):
        aliases.let("champion", "99")


def test_a_server_that_takes_the_call_and_says_nothing_is_given_up_within_seconds():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        began = time.monotonic()
        with (Rest(f"http://user:secret@127.0.0.1:{silent.getsockname()[1]}", MODEL) as aliases,
              pytest.raises(ServiceError, match="does not answer") as raised):
            aliases.named("champion")
    assert time.monotonic() - began < 5
    assert "secret" not in str(raised.value)
