"""Feast's offline store with another join, and with a journal for what is pushed.

Responsible for `FeatureStore.get_historical_features` and for the offline side of `FeatureStore.push`, named by feature_store.yaml alone.
What the join has no words for (a view without a key, over a folder or an address, or transformed on the way) goes to Feast's own. A
push never touches the files of a view: the pipeline made them, and takes up the journal in its next run.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from feast import FeatureView, FileSource, OnDemandFeatureView, RepoConfig
from feast.infra.offline_stores.duckdb import DuckDBOfflineStore, DuckDBOfflineStoreConfig, _write_data_source
from feast.infra.offline_stores.ibis import IbisRetrievalJob
from feast.infra.offline_stores.offline_store import RetrievalJob, RetrievalMetadata
from feast.infra.offline_stores.offline_utils import infer_event_timestamp_from_entity_df
from feast.infra.registry.base_registry import BaseRegistry

from feature_repo import pushed_tables
from feature_repo.asof import Source, join
from feature_repo.errors import FeatureError
from feature_repo.refusal import duplicates

MOMENT = pa.timestamp("us", "UTC")
OFFLINE = "feature_repo.offline_store.TallyOfflineStore"  # what feature_store.yaml calls it


class TallyOfflineStoreConfig(DuckDBOfflineStoreConfig):  # type: ignore[misc]  # Feast says no types
    """As Feast's DuckDB store. journal: the file pushes go to and are read from; without one there is no offline side of a push."""

    type: str = OFFLINE
    journal: str | None = None


class TallyOfflineStore(DuckDBOfflineStore):  # type: ignore[misc]
    """Feast's DuckDB store, but for the join and the place of pushes."""

    @staticmethod
    def get_historical_features(config: RepoConfig, feature_views: list[FeatureView], feature_refs: list[str],  # noqa: PLR0913, PLR0917 - Feast's
                                entity_df: pd.DataFrame | str, registry: BaseRegistry, project: str,
                                full_feature_names: bool = False, filter_by_created_timestamp: bool = False) -> RetrievalJob:  # noqa: FBT001, FBT002
        """A job over `entity_df`: each row once and in order, with the features that were true at its moment."""
        transformed = OnDemandFeatureView.get_requested_odfvs(feature_refs, project, registry)
        if not isinstance(entity_df, pd.DataFrame) or transformed or not all(map(_is_plain, feature_views)):
            return DuckDBOfflineStore.get_historical_features(config, feature_views, feature_refs, entity_df, registry, project,
                                                              full_feature_names, filter_by_created_timestamp)
        at = infer_event_timestamp_from_entity_df(dict(entity_df.dtypes))
        asked = _asked(entity_df, at)
        known_by = at if filter_by_created_timestamp else None
        sources = [_source(config, view, _features(view, feature_refs, full_feature_names), known_by)
                   for view in feature_views]
        _refuse_twice([*asked.column_names, *(name for source in sources for _, name in source.features)])
        return _job(config, _Join(asked, at, sources), _metadata(asked, at, feature_refs), full_feature_names)

    @staticmethod
    def offline_write_batch(config: RepoConfig, feature_view: FeatureView, table: pa.Table, progress: Callable[[int], Any] | None) -> None:
        """Keep the rows in the journal, on the disk when this returns. Raises FeatureError."""
        place = _journal(config)
        if place is None:
            raise FeatureError("offline_store.journal of feature_store.yaml is not set; say where pushed rows are kept")
        pushed_tables.keep(place, _view(feature_view), table, datetime.now(UTC))
        if progress:
            progress(table.num_rows)


@dataclass(frozen=True)
class _Join:
    """What Feast's job asks its table for. Joined when first asked."""

    asked: pa.Table
    at: str
    sources: list[Source]

    @cached_property
    def joined(self) -> pa.Table:
        return join(self.asked, self.at, self.sources)

    def to_pyarrow(self) -> pa.Table:
        return self.joined

    def execute(self) -> pd.DataFrame:
        frame: pd.DataFrame = self.joined.to_pandas()
        return frame


def _is_plain(view: FeatureView) -> bool:
    source = view.batch_source
    return isinstance(source, FileSource) and bool(view.entity_columns) and source.path.endswith(".parquet") and Path(source.path).is_file()


def _asked(entity_df: pd.DataFrame, at: str) -> pa.Table:
    """The entity rows as Feast's join would give them back: moments in UTC, categories as their texts."""
    moments = pd.to_datetime(entity_df[at], utc=True)
    asked = pa.Table.from_pandas(entity_df.assign(**{at: moments}), preserve_index=False).replace_schema_metadata()
    fields = [field.with_type(field.type.value_type) if pa.types.is_dictionary(field.type) else field for field in asked.schema]
    return asked.cast(pa.schema([field.with_type(MOMENT) if field.name == at else field for field in fields]), safe=False)


def _source(config: RepoConfig, view: FeatureView, features: list[tuple[str, str]], known_by: str | None) -> Source:
    source, place = view.batch_source, _journal(config)
    column_of = {new: old for old, new in source.field_mapping.items()}
    keys = view.projection.join_key_map or {column.name: column.name for column in view.entity_columns}
    return Source(path=Path(source.path), time=source.timestamp_field, created=source.created_timestamp_column or None, ttl=view.ttl,
                  keys=tuple((column_of.get(key, key), asked) for key, asked in keys.items()),
                  features=tuple((column_of.get(feature, feature), name) for feature, name in features),
                  pushed=pushed_tables.rows(place, _view(view)) if place else None, known_by=known_by)


def _view(view: FeatureView) -> pushed_tables.View:
    source = view.batch_source
    return pushed_tables.View(view.name, Path(source.path), source.timestamp_field, source.created_timestamp_column or None)


def _features(view: FeatureView, references: list[str], full: bool) -> list[tuple[str, str]]:  # noqa: FBT001
    """The view's features that are asked for, and their names in the answer."""
    prefix = f"{view.projection.name_to_use()}:"
    head = f"{view.projection.name_alias or view.name}__" if full else ""
    asked = [reference.removeprefix(prefix) for reference in references if reference.startswith(prefix)]
    return [(feature, head + feature) for feature in asked]


def _refuse_twice(names: list[str]) -> None:
    if again := duplicates(names):
        raise FeatureError(f"{again} would be there twice; rename the column of the entity rows, or ask for full feature names")


def _journal(config: RepoConfig) -> Path | None:
    """Relative to the folder of feature_store.yaml, as Feast's other paths."""
    place = config.offline_store.journal
    return (config.repo_path or Path()) / place if place else None


def _metadata(asked: pa.Table, at: str, references: list[str]) -> RetrievalMetadata:
    moments = asked[at].to_pandas()
    return RetrievalMetadata(references, [name for name in asked.column_names if name != at], moments.min(), moments.max())


def _job(config: RepoConfig, joined: _Join, metadata: RetrievalMetadata, full: bool) -> RetrievalJob:  # noqa: FBT001
    settings = config.offline_store
    return IbisRetrievalJob(joined, [], full, metadata, _write_data_source, settings.staging_location,
                            settings.staging_location_endpoint_override, str(config.repo_path))
