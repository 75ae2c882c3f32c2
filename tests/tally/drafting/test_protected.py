"""Protected attributes are told by their headers in four languages, other ages and rates are not; groups are the file's."""

from __future__ import annotations

import pyarrow as pa
import pytest

from feature_repo.sources import Csv
from tally.drafting import protected
from tally.drafting.profiles import profile

SEX = "sex or gender"


def column(header, texts):
    return profile(header, pa.chunked_array([texts]))


@pytest.mark.parametrize(("header", "kind"), [
    ("SEX", SEX), ("CODE_GENDER", SEX), ("Geschlecht", SEX), ("Sexe", SEX), ("personal_status_sex", SEX), ("Age", "age"),
    ("age_in_years", "age"), ("Alter", "age"), ("Âge", "age"), ("DOB", "date of birth"), ("Date of Birth", "date of birth"),
    ("race", "race or ethnic origin"), ("ethnic_cd", "race or ethnic origin"), ("foreign_worker", "national origin"),
    ("Nationalité", "national origin"), ("Citizenship", "national origin"), ("Religion", "religion"), ("MARRIAGE", "marital status"),
    ("Familienstand", "marital status"), ("Estado civil", "marital status"), ("is_disabled", "disability"), ("Pregnant", "pregnancy"),
    ("Anrede", SEX), ("salutation", SEX), ("Civilité", SEX), ("Geburtsort", "national origin"), ("place_of_birth", "national origin"),
    ("Geburtsdatum", "date of birth"),
])
def test_a_header_names_its_attribute(header, kind):
    assert protected.attribute(column(header, ["1"])) == kind


@pytest.mark.parametrize("header", ["car_age", "age_of_loan", "mortgage", "average_balance", "usage", "racetrack_loan", "percentage",
                                    "stage", "essex_branch", "message", "interest_rate"])
def test_other_headers_do_not(header):
    assert protected.attribute(column(header, ["1"])) == ""


@pytest.mark.parametrize("texts", [["Herr", "Frau"], ["Mr.", "Mrs.", "Ms."], ["Monsieur", "Madame", "Mlle"], ["M", "F"], ["M.", "Mme"],
                                   ["Herr", "Frau", "n/a"]])
def test_words_for_sexes_are_the_attribute_under_any_header_and_its_groups(texts):
    title = column("title", texts * 9)

    assert protected.attribute(title) == SEX
    assert set(protected.draft(title, "title", SEX, Csv()).get("groups").values()) - {"unknown"} == {"male", "female"}


@pytest.mark.parametrize("texts", [["M", "W"], ["M", "S"], ["Mr"], ["man", "van", "car"], ["Frau", "Haus", "Hof"]])
def test_other_texts_are_not(texts):
    assert protected.attribute(column("title", texts * 9)) == ""


@pytest.mark.parametrize(("texts", "groups"), [
    (["M", "M", "F"], {"M": "male", "F": "female"}), (["H", "H", "M"], {"H": "male", "M": "female"}),
    (["1", "1", "2"], {"1": "1", "2": "2"}),
    (["male", "female", "male", "XNA"], {"male": "male", "female": "female", "XNA": "unknown"}),
])
def test_groups_are_the_files_texts_and_the_reference_the_largest(texts, groups):
    line = protected.draft(column("sex", texts), "sex", "sex", Csv())

    assert line.get("groups") == groups
    assert line.get("reference") == groups[texts[0]]


def test_ages_are_cut_and_their_codes_unknown():
    line = protected.draft(column("age", [*map(str, range(18, 80)), *["999"] * 3, "?", "old"]), "age", "age", Csv())

    assert line.get("groups") == {"?": "unknown", "old": "unknown", "999": "unknown"}
    assert line.get("reference") == "40 to 61"


def test_a_birth_date_makes_no_groups_and_says_what_to_export():
    line = protected.draft(column("dob", ["1980-01-02", "1991-03-04", "1991-03-04"]), "dob", "date of birth", Csv())

    assert line.word == "Ignored"
    assert "age" in line.guesses[0]
