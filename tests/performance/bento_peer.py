"""A BentoML method at its best settings: async; metrics, access log and tracing off. MODEL names the file of the booster."""

from __future__ import annotations

import os

import bentoml
import numpy as np
import xgboost

WORKERS = int(os.environ.get("PEER_WORKERS", "1"))


@bentoml.service(name="peer", workers=WORKERS, metrics={"enabled": False}, logging={"access": {"enabled": False}},
                 tracing={"excluded_urls": [".*"]})
class Peer:
    def __init__(self) -> None:
        self.booster = xgboost.Booster(model_file=os.environ["MODEL"])
        self.booster.set_param({"nthread": 1})

    @bentoml.api
    async def score(self, row: list[float | None]) -> float:
        return float(self.booster.inplace_predict(np.array([row], dtype=np.float64))[0])
