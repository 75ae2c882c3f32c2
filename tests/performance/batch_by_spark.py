"""Probabilities of a Parquet file of finished model rows by `mlflow.pyfunc.spark_udf` on one core, as a program of the peers' environment.

Prints, as JSON, the seconds from file to file. Spark, its Python worker and the model in it are warm by then.
"""

from __future__ import annotations

import json
import os
import sys
from time import perf_counter

os.environ.update(MLFLOW_DISABLE_TELEMETRY="true", SPARK_LOCAL_IP="127.0.0.1", OMP_NUM_THREADS="1", PYSPARK_PYTHON=sys.executable)

import mlflow.pyfunc
from pyspark.sql import SparkSession


def main(model: str, source: str, target: str) -> None:
    spark = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").config("spark.driver.memory", "2g")
             .config("spark.log.level", "ERROR").getOrCreate())
    score = mlflow.pyfunc.spark_udf(spark, model, result_type="double", env_manager="local")
    rows = spark.read.parquet(source)

    def write(some: object, name: str) -> None:
        some.select(score(*some.columns).alias("pd")).write.mode("overwrite").parquet(target + name)

    write(rows.limit(100), "-warm")
    began = perf_counter()
    write(rows, "")
    print(json.dumps(perf_counter() - began))


if __name__ == "__main__":
    main(*sys.argv[1:])
