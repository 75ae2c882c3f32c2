"""Protected attributes go to the vault as groups, and nowhere else."""

from __future__ import annotations

from feature_repo.contract import APPLICATION_ID
from feature_repo.portfolios import load
from training import raw, tables, vault


def test_the_vault_holds_groups_by_application_and_the_table_holds_none(data_dir):
    portfolio = load("card_default")
    table = portfolio.applications
    read = raw.read(table, data_dir / table.file)
    translated = tables.translate(portfolio, table, read)
    kept = vault.protect(portfolio, read, translated)

    names = [column.name for column in portfolio.protected]
    assert kept.column_names == [APPLICATION_ID, *names]
    assert not {*names, *(column.raw for column in portfolio.protected)} & set(translated.column_names)
    assert kept[APPLICATION_ID] == translated[APPLICATION_ID]
    for column in portfolio.protected:
        assert set(kept[column.name].to_pylist()) == set(column.group_names)


def test_the_real_file_gives_the_documented_counts_by_group(data_dir):
    portfolio = load("card_default")
    table = portfolio.applications
    read = raw.read(table, data_dir / table.file)
    kept = vault.protect(portfolio, read, tables.translate(portfolio, table, read)).to_pandas()

    first, last = portfolio.protected[0], portfolio.protected[-1]
    assert kept[first.name].value_counts().to_dict() == {"male": 11_888, "female": 18_112}
    assert kept[last.name].value_counts()["other"] == 123 + 14 + 280 + 51
