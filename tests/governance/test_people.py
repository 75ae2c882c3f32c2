"""Who said it is who it says: keys, tokens and times of the signers file decide, and every fault in it is one clear line."""

from __future__ import annotations

import base64
from datetime import timedelta

import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from identities import KEYS, PEMS, T0, T1, approval, person, written

from feature_repo.errors import IdentityError
from governance import enrolment, events, keys, people
from governance.people import People


def test_what_is_written_is_what_is_read(tmp_path):
    entries = (person(until=T1, token="a" * 64, demo=True), person("jane", 1, since=T1, roles=("approver", "desk")), person("josé", 2))

    assert people.read(written(tmp_path / "signers.yaml", *entries)).entries == entries


ENTRY = enrolment.as_yaml(person())


PRIVATE = KEYS[0].private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()


TWO_WITH_ONE_TOKEN = (person(token="b" * 64), person("john", 1, token="b" * 64))


def other_key(key):
    said = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    return ENTRY.replace("\n".join(f"    {line}" for line in PEMS[0].strip().splitlines()),
                         "\n".join(f"    {line}" for line in said.strip().splitlines()))


FAULTS = {
    "an unknown field": (ENTRY + "  team: risk\n", "team"),
    "an unknown role": (ENTRY.replace("owner", "boss"), "boss"),
    "no role": (ENTRY.replace("[owner]", "[]"), "roles are one or more"),
    "a role twice": (ENTRY.replace("[owner]", "[owner, owner]"), "each once"),
    "no key": ("- name: jane\n  roles: [owner]\n  since: 2026-01-01T00:00:00Z\n", "key"),
    "a key that is none": (ENTRY.replace("BEGIN PUBLIC", "BEGIN SOME"), "no public key"),
    "a private key": (ENTRY.replace(PEMS[0].splitlines()[0], PRIVATE.splitlines()[0]), "private key"),
    "a key on another curve": (other_key(ec.generate_private_key(ec.SECP384R1())), "P-256"),
    "a key of another kind": (other_key(ed25519.Ed25519PrivateKey.generate()), "P-256"),
    "a time without its zone": (ENTRY.replace("00:00:00Z", "00:00:00"), "timezone"),
    "a time that is a day": (ENTRY.replace("T00:00:00Z", ""), "datetime"),
    "a day that is none": (ENTRY.replace("2026-01-01T", "2026-13-01T"), "month"),
    "until before since": (enrolment.as_yaml(person(until=T0)), "until is not after since"),
    "a token in clear": (ENTRY + "  token: tally_abc\n", "64 hex"),
    "a field twice": (ENTRY + "  roles: [approver]\n", "roles stands twice"),
    "a name with blanks": (ENTRY.replace("jane", "Jane Doe"), "jane-doe"),
    "a name that is a folder": (ENTRY.replace("jane", "../jane"), "a name is"),
    "the name of nobody": (ENTRY.replace("jane", "unknown"), "none of"),
    "one key for two names": (ENTRY + enrolment.as_yaml(person("john")), "same key"),
    "one token for two names": ("".join(enrolment.as_yaml(each) for each in TWO_WITH_ONE_TOKEN), "same token"),
    "two entries of one name at once": (ENTRY + enrolment.as_yaml(person(key=1, since=T1)), "in force at once"),
    "nobody": ("[]\n", "nobody"),
    "nothing": ("", "array"),
    "no list": ("jane: owner\n", "array"),
    "no YAML": ("- name: [\n", "not YAML"),
    "bytes": (b"\x80\x81", "not YAML"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_the_signers_file_is_one_line_that_names_it(tmp_path, fault):
    said, told = FAULTS[fault]
    path = tmp_path / "signers.yaml"
    path.write_bytes(said if isinstance(said, bytes) else said.encode())

    with pytest.raises(IdentityError, match=told) as caught:
        people.read(path)

    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "PRIVATE" not in str(caught.value)


def test_a_signers_file_that_is_not_there_or_that_everybody_can_write_is_refused(tmp_path):
    path = tmp_path / "signers.yaml"
    with pytest.raises(IdentityError, match="tally people init"):
        people.read(path)
    written(path, person()).chmod(0o666)
    with pytest.raises(IdentityError, match="chmod o-w"):
        people.read(path)


def test_what_somebody_signs_is_theirs_and_a_change_of_any_of_it_is_not(jane, place):
    signed = jane.sign(approval())
    everybody = place.people

    assert everybody.checks(signed, people.now())
    others = {"reason": "better", "release_id": "b" * 64, "request_id": "r2", "at": "2026-03-02T00:00:00+00:00"}
    changed = {name: msgspec.structs.replace(signed, **{name: value}) for name, value in others.items()}
    assert [name for name, event in changed.items() if everybody.checks(event, people.now())] == []
    rejection = events.PromotionRejected(**{name: getattr(signed, name) for name in signed.__struct_fields__})
    assert "the signature is not of jane's key" in everybody.fault(rejection, people.now())


@pytest.mark.parametrize("signature", ["", "no base64!", "AAAA", base64.b64encode(b"0" * 70).decode(), "ü"])
def test_a_signature_that_is_none_does_not_count(jane, place, signature):
    signed = jane.sign(approval())
    forged = msgspec.structs.replace(signed, by=msgspec.structs.replace(signed.by, signature=signature))

    assert not place.people.checks(forged, people.now())


def test_any_changed_bit_of_a_signature_breaks_it(jane, place):
    signed, everybody = jane.sign(approval()), place.people
    raw = base64.b64decode(signed.by.signature)

    def with_bit(changed):
        flipped = (int.from_bytes(raw) ^ (1 << changed)).to_bytes(len(raw))
        by = msgspec.structs.replace(signed.by, signature=base64.b64encode(flipped).decode())
        return msgspec.structs.replace(signed, by=by)

    assert [bit for bit in range(8 * len(raw)) if everybody.checks(with_bit(bit), people.now())] == []


def test_a_signature_is_judged_at_the_moment_it_was_recorded(tmp_path):
    key = tmp_path / "jane.pem"
    keys.make(key)
    entry = person(key=0, until=T1)
    entry = msgspec.structs.replace(entry, key=keys.pem(keys.load(key).public_key()))
    everybody = People((entry,))
    signed = enrolment.Signer(entry, key).sign(approval())

    moments = {"before": T0 - timedelta(seconds=1), "first": T0, "last": T1 - timedelta(microseconds=1), "after": T1}
    assert {name: everybody.checks(signed, at.isoformat()) for name, at in moments.items()} == {
        "before": False, "first": True, "last": True, "after": False}


def test_an_old_key_keeps_counting_for_its_time_and_the_new_one_for_its_own(place, jane):
    before, at = jane.sign(approval()), people.now()
    place.key_of("jane").unlink()
    enrolment.add(place, "jane", ("author",))
    after = enrolment.signer(place).sign(approval())

    assert [each.name for each in place.people] == ["jane", "jane"]
    assert (place.people.checks(before, at), place.people.checks(before, people.now())) == (True, False)
    assert (place.people.checks(after, at), place.people.checks(after, people.now())) == (False, True)


def test_somebody_taken_out_of_the_file_is_an_error_that_says_to_set_until(jane):
    everybody = People((person("john", 1),))

    with pytest.raises(IdentityError, match="until"):
        everybody.named("jane")
    assert "until" in everybody.fault(jane.sign(approval()), people.now())


def test_somebody_who_left_may_not_act_and_is_told_since_when(place, jane):
    ended = enrolment.end(place, "jane")

    with pytest.raises(IdentityError, match=people.exact(ended.until)):
        enrolment.signer(place)
    assert [each.until for each in place.people] == [ended.until]


def test_nobody_signs_for_somebody_else(place, jane):
    enrolment.add(place, "john", ("approver",))

    with pytest.raises(IdentityError, match="cannot sign what john says"):
        jane.sign(approval("john"))
    borrowed = jane.sign(approval())
    stolen = msgspec.structs.replace(borrowed, by=msgspec.structs.replace(borrowed.by, name="john"))
    assert "john is named, the signature is jane's" in place.people.fault(stolen, people.now())
    stolen = msgspec.structs.replace(borrowed, by=msgspec.structs.replace(borrowed.by, name="john", key="john"))
    assert not place.people.checks(stolen, people.now())


def test_a_token_counts_where_a_desk_vouches_for_it_and_nowhere_else(place, jane):
    enrolment.add(place, "john", ("approver",))
    enrolment.add(place, "api", ("desk",))
    desk = enrolment.signer(place, "api")

    assert place.people.checks(desk.sign(approval("john", "token")), people.now())
    with pytest.raises(IdentityError, match="no desk"):
        jane.sign(approval("john", "token"))
    forged = msgspec.structs.replace(approval("john", "token"), by=events.Actor(name="john", how="token", key="jane"))
    signature = keys.sign(jane.private, events.statement(forged))
    forged = msgspec.structs.replace(forged, by=msgspec.structs.replace(forged.by, signature=signature))
    assert "no desk" in place.people.fault(forged, people.now())


def test_a_token_is_shown_once_kept_as_a_digest_and_ended_by_the_next(place, jane):
    first = enrolment.give_token(place, "jane")
    assert place.people.by_token(first).name == "jane"
    second = enrolment.give_token(place, "jane")

    assert first.startswith("tally_")
    assert len(base64.urlsafe_b64decode(second.removeprefix("tally_") + "==")) * 8 >= 128
    assert second not in place.signers.read_text()
    assert place.people.by_token(second).name == "jane"
    for nobodys in (first, "", "tally_", "-" * 64, keys.token_digest(second)):
        with pytest.raises(IdentityError) as caught:
            place.people.by_token(nobodys)
        assert not nobodys or nobodys == "tally_" or nobodys not in str(caught.value)


def test_a_token_of_somebody_who_left_is_nobodys(place, jane):
    secret = enrolment.give_token(place, "jane")
    enrolment.end(place, "jane")

    with pytest.raises(IdentityError, match="nobody's"):
        place.people.by_token(secret)


def test_what_needs_a_person_counts_from_no_process_and_a_request_from_mlflow_is_by_unknown():
    everybody = People((person(),))
    nobody = events.Actor("unknown", "mlflow")
    request = events.PromotionRequested(by=nobody, at="", request_id="r", release_id="a", version="1", alias="c", reason="", gates=())
    refusal = events.ReleaseRefused(by=nobody, at="", who="watch", release_id="a", why="")
    retirement = events.ReleaseRetired(by=nobody, at="", release_id="a", reason="")

    def by(event, *actor):
        return everybody.fault(msgspec.structs.replace(event, by=events.Actor(*actor)), T0)

    assert by(request, "unknown", "mlflow") is None
    assert "unknown" in by(request, "jane", "mlflow")
    assert "needs a person" in by(request, "watch", "process")
    assert by(request, "unknown", "process") is None  # a schedule asks in nobody's name
    assert "needs a person" in by(approval(), "unknown", "mlflow")
    assert "needs a person" in by(approval(), "watch", "process")
    assert "needs a person" in by(retirement, "jane", "process")
    assert by(refusal, "watch", "process") is None
    assert "is a person" in by(refusal, "jane", "process")


def test_every_kind_of_event_that_a_person_must_say_is_one_that_there_is():
    assert {*people.BY_PEOPLE, *people.BY_PEOPLE_OR_UNKNOWN} <= set(events.KINDS)


def test_whatever_a_demo_identity_says_is_marked_so(place):
    enrolment.add(place, "demo-approver", ("approver",), demo=True)
    demo = enrolment.signer(place, "demo-approver")
    signed = demo.sign(approval("demo-approver"))

    assert signed.by.demo
    assert place.people.checks(signed, people.now())
    bare = msgspec.structs.replace(signed, by=msgspec.structs.replace(signed.by, demo=False, signature=""))
    bare = msgspec.structs.replace(bare, by=msgspec.structs.replace(bare.by, signature=keys.sign(demo.private, events.statement(bare))))
    assert "demonstration" in place.people.fault(bare, people.now())
