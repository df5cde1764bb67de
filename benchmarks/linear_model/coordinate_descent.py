"""What is measured for the lasso and the elastic net."""

from __future__ import annotations

from typing import Any

from benchmarks.workload import Goal, Named, Workload

CONTENDERS = ("scikit-learn", "sklearnex", "fastml")


def _row(
    name: str,
    data: Named,
    dtype: str,
    task: str,
    goal: float,
    contenders: tuple[str, ...] = CONTENDERS,
    **arguments: Any,
) -> Workload:
    return Workload(
        name=f"linear_model/{name}",
        data=data,
        dtype=dtype,
        task=Named(f"benchmarks.linear_model.tasks_coordinate_descent:{task}", arguments),
        check=Named("benchmarks.linear_model.answers_coordinate_descent:as_low_an_objective"),
        contenders=contenders,
        baseline="scikit-learn",
        goals=(Goal(goal, over="scikit-learn"),),
    )


def _tasks_row(name: str, data: Named, goal: float, **arguments: Any) -> Workload:
    # sklearnex has no estimator of its own for several tasks.
    return _row(name, data, "float64", "fit", goal, contenders=("scikit-learn", "fastml"), **arguments)


def _numbers(rows: int, features: int, **arguments: Any) -> Named:
    return Named("benchmarks.datasets:numbers", {"rows": rows, "features": features, "held_out": 1000, **arguments})


WORKLOADS: tuple[Workload, ...] = (
    _row("lasso-f64-20000x500", _numbers(20_000, 500), "float64", "fit", 2.0, estimator="Lasso", alpha=0.5),
    _row("lasso-f32-20000x500", _numbers(20_000, 500), "float32", "fit", 2.0, estimator="Lasso", alpha=0.5),
    _row("lasso-f64-500x5000", _numbers(500, 5000), "float64", "fit", 1.0, estimator="Lasso", alpha=5.0),
    _row("lasso-f64-150x4", _numbers(150, 4), "float64", "fit", 1.0, estimator="Lasso", alpha=0.5),
    _row("lassocv-f64-20000x500", _numbers(20_000, 500), "float64", "fit", 3.0, estimator="LassoCV", cv=5),
    _row("lassocv-f64-150x4", _numbers(150, 4), "float64", "fit", 1.0, estimator="LassoCV", cv=5),
    _row(
        "elastic-net-f64-20000x500",
        _numbers(20_000, 500),
        "float64",
        "fit",
        2.0,
        estimator="ElasticNet",
        alpha=0.5,
    ),
    _tasks_row(
        "multi-task-lasso-f64-5000x100x5",
        _numbers(5000, 100, targets=5),
        2.0,
        estimator="MultiTaskLasso",
        alpha=1.0,
    ),
    _tasks_row(
        "multi-task-lasso-f64-100x10x3", _numbers(100, 10, targets=3), 1.0, estimator="MultiTaskLasso", alpha=1.0
    ),
    _tasks_row(
        "multi-task-lassocv-f64-5000x100x5",
        _numbers(5000, 100, targets=5),
        3.0,
        estimator="MultiTaskLassoCV",
        cv=5,
    ),
    _row("lasso-predict-one-row", _numbers(2000, 50), "float64", "predict_one_row", 3.0, alpha=0.5, rows=200),
)
