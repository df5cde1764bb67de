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


def _fit_sparse(name: str, estimator: str, goal: Goal) -> Workload:
    rows, features = 100_000, 200
    return Workload(
        name=f"linear_model/{name}-csr-f64-{rows}x{features}",
        data=Named(
            "benchmarks.linear_model.data_least_squares:sparse_numbers",
            {"rows": rows, "features": features, "density": 0.05},
        ),
        dtype="float64",
        task=Named(
            "benchmarks.linear_model.tasks_least_squares:fit",
            {"estimator": estimator, "repeats": 1, "classes": False, "parameters": {}},
        ),
        # The tolerance at which scikit-learn's iterations stop is 1e-4 of the residuals.
        check=Named("benchmarks.linear_model.answers_least_squares:same_coefficients", {"most": 1e-3}),
        contenders=("scikit-learn", "fastml"),
        baseline="scikit-learn",
        goals=(goal,),
    )


WORKLOADS: tuple[Workload, ...] = (
    _fit("least-squares", "LinearRegression", (200_000, 50), Goal(8.0, "scikit-learn"), Goal(1.5, "sklearnex")),
    _fit("least-squares", "LinearRegression", (200_000, 50), Goal(8.0, "scikit-learn"), dtype="float32"),
    _fit("least-squares", "LinearRegression", (20_000, 500), Goal(8.0, "scikit-learn")),
    _fit("ridge", "Ridge", (200_000, 50), Goal(2.0, "scikit-learn"), Goal(1.5, "sklearnex")),
    _fit("ridge", "Ridge", (200_000, 50), Goal(2.0, "scikit-learn"), dtype="float32"),
    _fit("ridge-classifier", "RidgeClassifier", (200_000, 50), Goal(1.5, "scikit-learn"), classes=True),
    _fit("ridge-cv", "RidgeCV", (50_000, 50), Goal(2.0, "scikit-learn"), alphas=[0.01, 0.1, 1.0, 10.0, 100.0]),
    _fit_sparse("least-squares", "LinearRegression", Goal(2.0, "scikit-learn")),
    _fit_sparse("ridge", "Ridge", Goal(2.0, "scikit-learn")),
    # Small problems, fitted over and over as searches for parameters do.
    _fit("least-squares-small", "LinearRegression", (100, 5), Goal(1.5, "scikit-learn"), repeats=200),
    _fit("ridge-small", "Ridge", (100, 5), Goal(1.5, "scikit-learn"), repeats=200),
    _fit("ridge-cv-small", "RidgeCV", (100, 5), Goal(1.0, "scikit-learn"), repeats=50),
)
