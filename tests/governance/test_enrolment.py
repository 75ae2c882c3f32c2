"""How somebody gets into the signers file, and what a key file must be: nothing is added by itself where somebody keeps it."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from identities import approval, person

from feature_repo.errors import IdentityError
from governance import enrolment, keys, people


def test_the_first_to_sign_in_an_embedded_home_becomes_an_author_and_the_second_is_told_what_to_do(place):
    first = enrolment.signer(place)

    assert (first.name, first.person.roles) == ("jane", ("author",))
    assert stat.S_IMODE(place.key_of("jane").stat().st_mode) == 0o600
    assert stat.S_IMODE(place.key_of("jane").parent.stat().st_mode) == 0o700
    with pytest.raises(IdentityError, match="tally people init"):
        enrolment.signer(enrolment.place(place.home, {"TALLY_ACTOR": "john"}))


def test_where_somebody_keeps_the_file_nothing_is_added_by_itself(tmp_path):
    where = {"TALLY_SIGNERS": str(tmp_path / "kept.yaml"), "TALLY_ACTOR": "jane"}
    place = enrolment.place(tmp_path / "home", where)

    with pytest.raises(IdentityError):
        enrolment.signer(place)
    for change in (lambda: enrolment.add(place, "jane", ("author",)), lambda: enrolment.end(place, "jane"),
                   lambda: enrolment.give_token(place, "jane")):
        with pytest.raises(IdentityError, match="TALLY_SIGNERS"):
            change()
    assert not (tmp_path / "kept.yaml").exists()


def test_a_key_that_others_may_read_is_refused_and_the_remedy_works(place, jane):
    path = place.key_of("jane")
    for mode in (0o644, 0o640, 0o620, 0o604):
        path.chmod(mode)
        with pytest.raises(IdentityError, match=f"chmod 600 {path}"):
            enrolment.signer(place)
    path.chmod(0o600)

    assert place.people.checks(enrolment.signer(place).sign(approval()), people.now())


def test_a_key_that_is_not_the_one_in_the_file_or_is_none_is_refused(place, jane):
    path = place.key_of("jane")
    path.unlink()
    with pytest.raises(IdentityError, match="TALLY_KEY"):
        enrolment.signer(place)
    keys.make(path)
    with pytest.raises(IdentityError, match="not the one of jane"):
        enrolment.signer(place)
    path.write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    with pytest.raises(IdentityError, match="no private key"):
        enrolment.signer(place)


def test_tally_key_names_the_key_of_whoever_acts(tmp_path):
    place = enrolment.place(tmp_path / "home", {"TALLY_ACTOR": "jane", "TALLY_KEY": str(tmp_path / "mine.pem")})

    assert enrolment.signer(place).path == tmp_path / "mine.pem"
    assert place.key_of("john") == tmp_path / "home" / "keys" / "john.pem"


def test_the_actor_is_tally_actor_else_gits_name_else_the_login(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    monkeypatch.setenv("LOGNAME", "machine.user")
    monkeypatch.chdir(tmp_path)
    assert enrolment.actor({}) == "machine.user"
    (tmp_path / "gitconfig").write_text('[user]\n\tname = "Jane van  Doe (Risk)"\n')
    assert enrolment.actor({}) == "jane-van-doe-risk"
    assert enrolment.actor({"TALLY_ACTOR": "José Müller"}) == "josé-müller"
    assert enrolment.actor({"TALLY_ACTOR": "../../etc"}) == "etc"


@settings(max_examples=200)
@given(st.text(max_size=90))
def test_whatever_somebody_is_called_their_name_is_one_of_the_file_or_nothing(said):
    name = people.slug(said)

    assert not name or (people.NAME.fullmatch(name) and people.slug(name) == name and Path(name).name == name)


AT_ONCE = """
import sys
from pathlib import Path
from governance import enrolment
place = enrolment.place(Path(sys.argv[1]), {"TALLY_ACTOR": sys.argv[2]})
assert not place.signers.exists()
print("ready", flush=True)
sys.stdin.readline()
enrolment.add(place, place.actor, ("author",))
"""


def test_processes_that_make_the_file_at_once_lose_nobodys_entry_and_agree_on_a_key(tmp_path):
    names = ["jane", "john", "mary", "jane"]
    command = [sys.executable, "-c", AT_ONCE, str(tmp_path / "home")]
    started = [subprocess.Popen([*command, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])
               for name in names]
    assert [process.stdout.readline() for process in started] == ["ready\n"] * len(names)
    for process in started:
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [process.communicate(timeout=60) and process.returncode for process in started] == [0] * len(names)

    place = enrolment.place(tmp_path / "home", {"TALLY_ACTOR": "jane"})
    assert sorted(each.name for each in place.people) == ["jane", "john", "mary"]
    for name in ("jane", "john", "mary"):
        assert enrolment.signer(place, name).name == name


def test_new_roles_are_a_new_entry_and_the_same_ones_are_none(place, jane):
    enrolment.add(place, "jane", ("author",))
    assert len(place.people.entries) == 1
    enrolment.add(place, "jane", ("author", "owner"))

    assert [(each.roles, each.until is None) for each in place.people] == [(("author",), False), (("author", "owner"), True)]
    assert place.people.named("jane").roles == ("author", "owner")


def test_an_entry_is_safe_to_paste_whatever_the_name_is():
    assert json.loads(enrolment.as_yaml(person("null")).splitlines()[0].removeprefix("- name: ")) == "null"
    assert people.parse(enrolment.as_yaml(person("null")).encode(), "here").entries[0].name == "null"
