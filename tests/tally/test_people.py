"""docs/people.md does what it says, and where somebody else keeps the signers file its commands change nothing."""

from __future__ import annotations

import re
import shlex
import shutil
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from feature_repo.errors import IdentityError
from governance import enrolment, people
from tally.__main__ import tally

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    shutil.copy(ROOT / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TALLY_ACTOR", "jane")
    for name in ("TALLY_HOME", "TALLY_SIGNERS", "TALLY_KEY", "TALLY_PORTFOLIO"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def run(*words, **environment):
    done = CliRunner().invoke(tally, words, env=environment, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def steps():
    """Each command of the page, and the lines it promises."""
    for block in BLOCK.findall((ROOT / "docs" / "people.md").read_text(encoding="utf-8")):
        for command in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            first, *promised = command.rstrip("\n").split("\n")
            yield first, promised


def fits(promised, printed):
    """Line by line, blanks as many as it takes; `…` stands for anything."""
    patterns = [r"\s+".join(map(re.escape, line.split())).replace("…", ".*") for line in promised]
    return len(patterns) == len(printed) and all(re.fullmatch(f"\\s*{p}\\s*", line) for p, line in zip(patterns, printed, strict=True))


def test_the_page_is_true(checkout):
    commands = list(steps())
    assert len(commands) >= 8
    for command, promised in commands:
        words = shlex.split(command)
        given = dict(word.split("=", 1) for word in words[:words.index("tally")])
        printed = run(*words[words.index("tally") + 1:], **given).strip().splitlines()
        assert fits(promised, printed), f"{command}\n" + "\n".join(printed)


def test_what_the_commands_write_is_what_the_record_reads(checkout):
    run("people", "init")
    run("people", "new", "max", "--role", "approver")
    secret = run("people", "token", "max").splitlines()[0]

    everybody = people.read(checkout / "var" / "signers.yaml")
    assert everybody.by_token(secret).name == "max"
    assert {each.name: each.roles for each in everybody} == {"jane": ("author",), "max": ("approver",)}
    assert {stat.S_IMODE(path.stat().st_mode) for path in (checkout / "var" / "keys").iterdir()} == {0o600}
    assert secret not in run("people", "list")


def test_somebody_who_is_there_stays_as_they_are_until_they_ask_for_other_roles(checkout):
    run("people", "init")
    assert "already" in run("people", "init")
    run("people", "init", "--role", "author", "--role", "owner")

    assert [each.roles for each in people.read(checkout / "var" / "signers.yaml")] == [("author",), ("author", "owner")]


def test_where_the_file_is_kept_by_somebody_else_what_is_printed_can_be_put_into_it(checkout):
    kept = checkout / "kept.yaml"
    entry = run("people", "init", TALLY_SIGNERS=str(kept)).split("\n", 1)[1]
    assert not kept.exists()
    kept.write_text(entry)
    place = enrolment.place(checkout / "var", {"TALLY_SIGNERS": str(kept), "TALLY_ACTOR": "jane"})
    assert enrolment.signer(place).name == "jane"

    secret, _, token = run("people", "token", "jane", TALLY_SIGNERS=str(kept)).splitlines()
    kept.write_text(f"{entry.rstrip()}\n{token}\n")
    assert people.read(kept).by_token(secret).name == "jane"
    until = run("people", "end", "jane", TALLY_SIGNERS=str(kept)).splitlines()[1]
    kept.write_text(f"{entry.rstrip()}\n{until}\n")
    with pytest.raises(IdentityError, match="may not act"):
        enrolment.signer(place)


def test_a_role_or_a_name_that_is_none_is_one_line(checkout):
    assert "approver" in CliRunner().invoke(tally, ["people", "new", "max", "--role", "boss"]).output
    with pytest.raises(IdentityError, match="max-m is one"):
        run("people", "new", "Max M", "--role", "owner")
