"""What is measured for logistic regression."""

from __future__ import annotations

from typing import Any

from benchmarks.workload import Goal, Named, Workload

CONTENDERS = ("scikit-learn", "sklearnex", "fastml")


def _row(name: str, data: Named, dtype: str, task: str, *goals: Goal, **arguments: Any) -> Workload:
    return Workload(
        name=f"linear_model/{name}",
        data=data,
        dtype=dtype,
        task=Named(f"benchmarks.linear_model.tasks_logistic:{task}", arguments),
        check=Named("benchmarks.linear_model.answers_logistic:as_low_an_objective"),
        contenders=CONTENDERS,
        baseline="scikit-learn",
        goals=goals,
    )


def _classes(rows: int, features: int, n_classes: int) -> Named:
    return Named(
        "benchmarks.linear_model.data_logistic:soft_classes",
        {"rows": rows, "features": features, "n_classes": n_classes, "held_out": 1000},
    )


def _over(ratio: float) -> Goal:
    return Goal(ratio, over="scikit-learn")


MESSAGES = Named("benchmarks.linear_model.data_logistic:messages")
BAR = (_over(3.5), Goal(1.5, over="sklearnex"))
SEARCH = {"estimator": "LogisticRegressionCV", "l1_ratios": (0,), "scoring": "neg_log_loss"}

WORKLOADS: tuple[Workload, ...] = (
    _row("logistic-f64-60000x50-5-classes", _classes(60_000, 50, 5), "float64", "fit", *BAR),
    _row("logistic-f32-100000x20", _classes(100_000, 20, 2), "float32", "fit", *BAR),
    _row("logistic-f64-messages", MESSAGES, "float64", "fit", _over(2.0)),
    _row("logistic-f64-150x4-3-classes", _classes(150, 4, 3), "float64", "fit", _over(1.0)),
    _row("logistic-f64-100x5", _classes(100, 5, 2), "float64", "fit", _over(1.0)),
    _row(
        "logistic-newton-cholesky-f64-60000x50-5-classes",
        _classes(60_000, 50, 5),
        "float64",
        "fit",
        _over(2.0),
        solver="newton-cholesky",
    ),
    _row(
        "logistic-newton-cg-f64-60000x50-5-classes",
        _classes(60_000, 50, 5),
        "float64",
        "fit",
        _over(2.0),
        solver="newton-cg",
    ),
    _row("logisticcv-f64-10000x20-3-classes", _classes(10_000, 20, 3), "float64", "fit", _over(2.0), cv=5, **SEARCH),
    _row(
        "logistic-predict-one-row",
        _classes(2000, 50, 3),
        "float64",
        "predict_one_row",
        _over(3.0),
        method="predict",
        rows=200,
    ),
    _row(
        "logistic-predict-proba-one-row",
        _classes(2000, 50, 3),
        "float64",
        "predict_one_row",
        _over(3.0),
        method="predict_proba",
        rows=200,
    ),
    _row(
        "logistic-predict-proba-f64-60000x50-5-classes",
        _classes(60_000, 50, 5),
        "float64",
        "predict",
        _over(1.5),
        method="predict_proba",
    ),
)
