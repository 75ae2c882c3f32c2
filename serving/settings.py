"""Where and who: the only reader of a service's TALLY_* environment. Nothing here changes a score.

Refuses a variable it cannot understand by name, before anything is served; other TALLY_* variables belong to other programs.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from feature_repo.errors import ServiceError

PREFIX = "TALLY_"
Count = Annotated[int, msgspec.Meta(ge=1)]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """One service. Each field is the environment variable TALLY_<FIELD>.

    ledger: where the record is, "postgresql://user@host/database", or empty: SQLite files in `home`. signers: the file of people whose
    signatures count, or none: `signers.yaml` in `home`.
    features: where stored features are, "redis://host:port/0" (rediss://, unix://), or empty: SQLite in `home`; features_patience:
    seconds a read of them may take, after which each column's policy says what follows.
    push_token_sha256: the SHA-256 (hex) of the token that may push stored features, or none: nobody may; push_size: rows at once.
    own_ids: a regular expression of applicants' ids that are the lender's own, and are let through where they look like card numbers.
    business_time: the moment every decision of a service on simulated or historical data is made at; None: now.
    body_bytes, batch_body_bytes, batch_size, depth: what a request may be; in_flight: requests at once, per worker; patience: seconds
    a request may take to arrive, and the ledger to answer; watch_every: seconds between looks at the record.
    deadline: seconds a decision may take from the arrival of its body, after which it is not made. drain: seconds a service that is told
    to end goes on answering, not ready any more. caller_header: where a trusted gateway names the caller whose Idempotency-Key it is.
    shadow_waiting: decisions that may wait for the shadow, per worker; more are dropped. alike: decisions in an hour that may be alike, per
    worker; more are counted.
    log_level: the least a line of ours must matter; log_format: a JSON object a line, or text for a person.
    """

    portfolio: Annotated[str, msgspec.Meta(min_length=1)]
    home: Path = Path("var")
    ledger: str = ""
    signers: Path | None = None
    features: str = ""
    features_patience: Annotated[float, msgspec.Meta(gt=0)] = 0.05
    push_token_sha256: Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{64})?$")] = ""
    push_size: Count = 1_000
    own_ids: re.Pattern[str] = re.compile("")
    workers: Count = 1
    business_time: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    body_bytes: Count = 64 * 2**10
    batch_body_bytes: Count = 2**20
    batch_size: Count = 100
    depth: Count = 32
    in_flight: Count = 256
    patience: Annotated[float, msgspec.Meta(gt=0)] = 5.0
    deadline: Annotated[float, msgspec.Meta(gt=0)] = 2.0
    drain: Annotated[float, msgspec.Meta(ge=0)] = 1.0
    caller_header: Annotated[str, msgspec.Meta(pattern="^([!#$%&'*+.^_`|~0-9A-Za-z-]+)?$")] = ""
    watch_every: Annotated[float, msgspec.Meta(gt=0)] = 1.0
    shadow_waiting: Count = 1_024
    alike: Annotated[int, msgspec.Meta(ge=1, le=200)] = 10
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["json", "text"] = "json"

    @property
    def folder(self) -> Path:
        """Where this portfolio's service keeps what it needs."""
        return self.home.resolve() / self.portfolio

    @property
    def people(self) -> Path:
        """The signers file."""
        return self.signers or self.home.resolve() / "signers.yaml"


def read(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings in the environment; a variable set to nothing counts as not set.

    Raises ServiceError naming the variable and what was expected, never its value.
    """
    given = os.environ if environment is None else environment
    named = {field: given[PREFIX + field.upper()] for field in Settings.__struct_fields__ if given.get(PREFIX + field.upper())}
    if "portfolio" not in named:
        raise ServiceError("TALLY_PORTFOLIO is not set; a service scores one portfolio, name it")
    for field, value in named.items():
        one = {"portfolio": named["portfolio"], field: value}
        try:
            msgspec.convert(one, Settings, strict=False, dec_hook=_made)
        except msgspec.ValidationError as error:
            raise ServiceError(f"{PREFIX}{field.upper()}: {str(error).split(' - at')[0]}") from None
    return msgspec.convert(named, Settings, strict=False, dec_hook=_made)


def nameless(environment: Mapping[str, str] | None = None) -> Settings:
    """What is known of a service before it has a portfolio: how many workers to start, what lines to write."""
    return read({**(os.environ if environment is None else environment), "TALLY_PORTFOLIO": "any"})


def _made(kind: type[Path | re.Pattern[str]], value: object) -> Path | re.Pattern[str]:
    """The types of a setting that msgspec does not know."""
    if kind is Path:
        return Path(str(value))
    try:
        return re.compile(str(value))
    except re.error:
        raise ValueError("Expected a regular expression") from None
