"""params.yaml, read one section at a time and strictly: an unknown key or a wrong type is an error that names it."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

from feature_repo.errors import ParamsError

Section = TypeVar("Section")
PARAMS = Path("params.yaml")


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A section with nothing to choose: any key in it is a mistake."""


def read(section: str, kind: type[Section], path: Path = PARAMS) -> Section:
    """The section of params.yaml as a frozen `kind` (a msgspec.Struct with forbid_unknown_fields).

    Raises ParamsError naming the section, the key and what was expected.
    """
    try:
        everything = msgspec.yaml.decode(path.read_bytes())
        return msgspec.convert(everything.get(section), kind)
    except FileNotFoundError:
        raise ParamsError(f"{path} is not there; run from the folder that holds dvc.yaml") from None
    except (msgspec.MsgspecError, AttributeError) as error:
        raise ParamsError(f"params.yaml, section {section}: {error}") from None
