"""How an exit fails: one alert was refused (a ServiceError), or nothing gets through now."""

from __future__ import annotations

from feature_repo.errors import ServiceError


class UnreachableError(ServiceError):
    """The server of an exit does not answer or takes nothing from us: what else is owed waits as well."""
