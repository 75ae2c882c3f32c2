"""From bytes to a JSON document, strictly: what other decoders let pass in silence is refused here.

Refuses other media types and encodings, too many bytes (before reading them where the length is told), deep nesting, NaN and Infinity,
duplicate keys, broken or lone surrogates. Knows nothing of applications.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from starlette.requests import Request

from serving.problems import Problem

ENDED = "http.disconnect"


async def read(request: Request, limit: int, depth: int, patience: float) -> Any:
    """The document in the body of a request. Raises Problem."""
    require_json(request)
    try:
        async with asyncio.timeout(patience):
            raw = await collect(request, limit)
    except TimeoutError:
        raise Problem("too-slow", f"the body did not arrive within {patience:g} seconds", headers={"Connection": "close"}) from None
    return decode(raw, depth)


def require_json(request: Request) -> None:
    """Refuse what is not plain application/json in UTF-8."""
    media_type, _, parameters = request.headers.get("content-type", "").partition(";")
    if media_type.strip().lower() != "application/json":
        raise Problem("unsupported-media-type", "send the body as application/json")
    if parameters.strip().lower().replace('"', "") not in ("", "charset=utf-8"):
        raise Problem("unsupported-media-type", "the only parameter is charset=utf-8")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Problem("unsupported-media-type", "send the body without a content encoding")


async def collect(request: Request, limit: int) -> bytes:
    """The body, given up on as soon as it is known to exceed `limit` bytes."""
    refused = Problem("too-large", f"the body may have {limit} bytes", headers={"Connection": "close"})
    told = request.headers.get("content-length", "0")
    if not told.isdecimal() or int(told[:20]) > limit:
        raise refused
    chunks: list[bytes] = []
    size, more = 0, True
    while more:
        message = await request.receive()
        if message["type"] == ENDED:
            raise Problem("malformed-json", "the body ended early")
        chunks.append(message.get("body", b""))
        size, more = size + len(chunks[-1]), message.get("more_body", False)
        if size > limit:
            raise refused
    return b"".join(chunks)


def decode(raw: bytes, depth: int) -> Any:
    """The JSON document in `raw`. The standard library's decoder, because it shows every key of an object, also a second one."""
    try:
        text = raw.decode()
        document = DECODER.decode(text)
        shallow = raw.count(b"[") + raw.count(b"{") <= depth or nesting(document) <= depth
        if "\\u" in text:
            json.dumps(document, ensure_ascii=False).encode()
    except RecursionError:
        shallow = False
    except UnicodeError:
        raise Problem("malformed-json", "the body is not valid UTF-8") from None
    except ValueError as error:
        place = f" (at character {error.pos})" if isinstance(error, json.JSONDecodeError) else ""
        raise Problem("malformed-json", f"the body is not valid JSON{place}; NaN and Infinity are not JSON") from None
    if not shallow:
        raise Problem("malformed-json", f"the body is nested deeper than {depth}")
    return document


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object, unless a key is there twice: which one counts would be anyone's guess."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Problem("malformed-json", "an object has the same key twice")
    return found


def not_json(_: str) -> Any:
    """What Python reads and JSON does not know: NaN, Infinity, -Infinity."""
    raise ValueError


DECODER = json.JSONDecoder(object_pairs_hook=unique, parse_constant=not_json)


def nesting(value: Any) -> int:
    """How deep a document is nested; a number or text is 0."""
    if not isinstance(value, (dict, list)):
        return 0
    return 1 + max((nesting(child) for child in (value.values() if isinstance(value, dict) else value)), default=0)
