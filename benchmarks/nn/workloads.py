"""What is measured for steps of optimizers, as a table."""

from __future__ import annotations

from typing import Any

from benchmarks.workload import Goal, Named, Workload

MILLION = [900, 800, 300, 120, 10]  # 998,430 parameters
DIGITS = [784, 64, 10]


def _steps(
    name: str, optimizer: str, sizes: list[int], dtype: str, count: int, goal: float, **options: Any
) -> Workload:
    return Workload(
        name=f"nn/{name}",
        data=Named("benchmarks.nn.data:dense_layers", {"sizes": sizes}),
        dtype=dtype,
        task=Named("benchmarks.nn.tasks:steps", {"optimizer": optimizer, "count": count, **options}),
        check=Named("benchmarks.nn.answers:same_parameters"),
        contenders=("torch", "fastml"),
        baseline="torch",
        goals=(Goal(goal, "torch"),),
    )


WORKLOADS: tuple[Workload, ...] = (
    _steps("adam-f32-1e6", "Adam", MILLION, "float32", 50, 1.0),
    _steps("adam-f64-1e6", "Adam", MILLION, "float64", 50, 1.0),
    _steps("adamw-amsgrad-f32-1e6", "AdamW", MILLION, "float32", 50, 1.0, amsgrad=True),
    _steps("sgd-momentum-f32-1e6", "SGD", MILLION, "float32", 50, 1.0, momentum=0.9, nesterov=True),
    # A small network: what a call costs.
    _steps("adam-f32-784-64-10", "Adam", DIGITS, "float32", 500, 1.0),
)
