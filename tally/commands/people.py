"""The people of the record: who may act, by which key."""

from __future__ import annotations

import click

COMMANDS: tuple[click.Command, ...] = ()
