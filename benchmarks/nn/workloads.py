"""What is measured for steps of optimizers and for training through autograd, as a table."""

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


def _training(name: str, sizes: list[int], batch: int, count: int, goal: float) -> Workload:
    return Workload(
        name=f"nn/{name}",
        data=Named("benchmarks.nn.data:dense_layers", {"sizes": sizes}),
        dtype="float32",
        task=Named("benchmarks.nn.tasks:training", {"batch": batch, "count": count}),
        check=Named("benchmarks.nn.answers:same_losses"),
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
    # Forward, cross entropy, backward and Adam: what many small operations cost.
    _training("training-64-64-10", [64, 64, 10], 32, 500, 1.5),
    _training("training-784-256-128-10", [784, 256, 128, 10], 200, 20, 1.0),
)
