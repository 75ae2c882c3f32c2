"""Fixture: an S3 on this machine, to which DVC pushes as it would to a bucket."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
from moto.server import ThreadedMotoServer

ACCOUNT = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}


@dataclass(frozen=True)
class Bucket:
    """An empty bucket, its address and what a client must have in its environment."""

    url: str
    endpoint: str

    @property
    def environment(self) -> dict[str, str]:
        return ACCOUNT

    def keys(self) -> list[str]:
        """The names of all objects."""
        client = _client(self.endpoint)
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=self.url.removeprefix("s3://"))
        return [item["Key"] for page in pages for item in page.get("Contents", ())]


@contextmanager
def s3(name: str = "models") -> Iterator[Bucket]:
    """A server on a free port of 127.0.0.1 with one bucket; ended with the block."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        bucket = Bucket(f"s3://{name}", f"http://{host}:{port}")
        _client(bucket.endpoint).create_bucket(Bucket=name)
        yield bucket
    finally:
        server.stop()


def _client(endpoint: str) -> Any:
    account = {name.lower(): value for name, value in ACCOUNT.items() if name != "AWS_DEFAULT_REGION"}
    return boto3.client("s3", endpoint_url=endpoint, region_name=ACCOUNT["AWS_DEFAULT_REGION"], **account)
