"""What is measured for linear models: one table a kind of model."""

from __future__ import annotations

from benchmarks.linear_model import coordinate_descent, least_squares, logistic, sgd
from benchmarks.workload import Workload

WORKLOADS: tuple[Workload, ...] = (
    *least_squares.WORKLOADS,
    *coordinate_descent.WORKLOADS,
    *logistic.WORKLOADS,
    *sgd.WORKLOADS,
)
