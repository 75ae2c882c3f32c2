"""Guarantees of settings: everything has one name, a wrong one is named before anything is served, and its value is not repeated."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from feature_repo.errors import ServiceError
from serving import settings


def test_every_setting_is_read_from_its_variable():
    found = settings.read({"TALLY_PORTFOLIO": "p", "TALLY_HOME": "/srv", "TALLY_WORKERS": "2",
                           "TALLY_PATIENCE": "0.5", "TALLY_BUSINESS_TIME": "2007-03-01T00:00:00+00:00",
                           "TALLY_PORT": "another program's"})
    assert (found.home, found.workers, found.patience) == (Path("/srv"), 2, 0.5)
    assert found.business_time == datetime(2007, 3, 1, tzinfo=UTC)
    assert found.folder == Path("/srv/p")


def test_a_variable_set_to_nothing_is_not_set():
    assert settings.read({"TALLY_PORTFOLIO": "p", "TALLY_BUSINESS_TIME": "", "TALLY_WORKERS": ""}) == settings.Settings(portfolio="p")


@pytest.mark.parametrize(("variable", "value"), [
    ("TALLY_WORKERS", "s3cret"), ("TALLY_WORKERS", "0"), ("TALLY_PATIENCE", "-1"), ("TALLY_BODY_BYTES", "1.5"),
    ("TALLY_BUSINESS_TIME", "2007-03-01T00:00:00"),
])
def test_a_wrong_value_is_an_error_that_names_its_variable_and_not_the_value(variable, value):
    with pytest.raises(ServiceError, match=variable) as error:
        settings.read({"TALLY_PORTFOLIO": "p", variable: value})
    assert value not in str(error.value)


def test_a_service_must_be_told_its_portfolio_and_a_bento_can_be_built_without_one():
    with pytest.raises(ServiceError, match="TALLY_PORTFOLIO"):
        settings.read({})
    assert settings.nameless({"TALLY_WORKERS": "3"}).workers == 3
    assert settings.nameless({}).workers == 1
