"""What is measured for least squares, as a table."""

from __future__ import annotations

from typing import Any

from benchmarks.workload import Goal, Named, Workload

ESTIMATORS = ("scikit-learn", "sklearnex", "fastml")


def _fit(
    name: str,
    estimator: str,
    shape: tuple[int, int],
    *goals: Goal,
    dtype: str = "float64",
    contenders: tuple[str, ...] = ESTIMATORS,
    repeats: int = 1,
    classes: bool = False,
    **parameters: Any,
) -> Workload:
    rows, features = shape
    return Workload(
        name=f"linear_model/{name}-{'f32' if dtype == 'float32' else 'f64'}-{rows}x{features}",
        data=Named("benchmarks.datasets:numbers", {"rows": rows, "features": features, "held_out": 100}),
        dtype=dtype,
        task=Named(
            "benchmarks.linear_model.tasks_least_squares:fit",
            {"estimator": estimator, "repeats": repeats, "classes": classes, "parameters": parameters},
        ),
        check=Named("benchmarks.linear_model.answers_least_squares:same_coefficients"),
        contenders=contenders,
        baseline="scikit-learn",
        goals=goals,
    )


WORKLOADS: tuple[Workload, ...] = (
    _fit("least-squares", "LinearRegression", (200_000, 50), Goal(8.0, "scikit-learn"), Goal(1.5, "sklearnex")),
    _fit("least-squares", "LinearRegression", (200_000, 50), Goal(8.0, "scikit-learn"), dtype="float32"),
    _fit("least-squares", "LinearRegression", (20_000, 500), Goal(8.0, "scikit-learn")),
    _fit("ridge", "Ridge", (200_000, 50), Goal(2.0, "scikit-learn"), Goal(1.5, "sklearnex")),
    _fit("ridge", "Ridge", (200_000, 50), Goal(2.0, "scikit-learn"), dtype="float32"),
    _fit("ridge-classifier", "RidgeClassifier", (200_000, 50), Goal(1.5, "scikit-learn"), classes=True),
    _fit("ridge-cv", "RidgeCV", (50_000, 50), Goal(2.0, "scikit-learn"), alphas=[0.01, 0.1, 1.0, 10.0, 100.0]),
    # Small problems, fitted over and over as searches for parameters do.
    _fit("least-squares-small", "LinearRegression", (100, 5), Goal(1.5, "scikit-learn"), repeats=200),
    _fit("ridge-small", "Ridge", (100, 5), Goal(1.5, "scikit-learn"), repeats=200),
    _fit("ridge-cv-small", "RidgeCV", (100, 5), Goal(1.0, "scikit-learn"), repeats=50),
)
