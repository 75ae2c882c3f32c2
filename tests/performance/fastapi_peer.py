"""A tuned FastAPI endpoint: no thread, no frame, the probability and nothing else. MODEL names the file of the booster."""

from __future__ import annotations

import os

import numpy as np
import xgboost
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
booster = xgboost.Booster(model_file=os.environ["MODEL"])
booster.set_param({"nthread": 1})


class Asked(BaseModel):
    row: list[float | None]


class Told(BaseModel):
    pd: float


@app.post("/score")
async def score(asked: Asked) -> Told:
    row = np.array([asked.row], dtype=np.float64)  # what is missing is NaN
    return Told(pd=float(booster.inplace_predict(row)[0]))
