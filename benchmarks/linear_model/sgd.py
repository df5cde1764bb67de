"""What is measured for stochastic gradient descent, as a table."""

from __future__ import annotations

from benchmarks.workload import Goal, Named, Workload

CONTENDERS = ("scikit-learn", "fastml")  # no other library takes the same steps

# n_jobs is what it is by default, but in one row: fastml then uses the threads of the run, and scikit-learn one.


def _fit(
    name: str, data: Named, goal: float, estimator: str = "SGDClassifier", dtype: str = "float64", **parameters: object
) -> Workload:
    return Workload(
        name=f"linear_model/{name}",
        data=data,
        dtype=dtype,
        task=Named("benchmarks.linear_model.tasks_sgd:fit", {"estimator": estimator, **parameters}),
        check=Named("benchmarks.linear_model.answers_sgd:same_coefficients"),
        contenders=CONTENDERS,
        baseline="scikit-learn",
        goals=(Goal(goal, "scikit-learn"),),
    )


def _classes(rows: int, features: int, classes: int) -> Named:
    return Named(
        "benchmarks.linear_model.data_sgd:overlapping_classes",
        {"rows": rows, "features": features, "classes": classes},
    )


FOUR = _classes(80_000, 40, 4)
TWO = _classes(200_000, 20, 2)
SPARSE = Named(
    "benchmarks.linear_model.data_sgd:sparse_classes", {"rows": 20_000, "features": 20_000, "density": 0.002}
)

WORKLOADS: tuple[Workload, ...] = (
    _fit("sgd-hinge-f64-80000x40-4classes", FOUR, 6.0, max_iter=10, tol=None),
    _fit("sgd-hinge-f64-80000x40-4classes-n_jobs", FOUR, 2.5, max_iter=10, tol=None, n_jobs=-1),
    _fit("sgd-hinge-f64-200000x20", TWO, 4.0, max_iter=5, tol=None),
    _fit("sgd-hinge-f32-200000x20", TWO, 3.0, dtype="float32", max_iter=5, tol=None),
    _fit("sgd-log-loss-f64-200000x20", TWO, 3.0, max_iter=5, tol=None, loss="log_loss"),
    _fit("sgd-hinge-csr-20000x20000", SPARSE, 1.5, max_iter=10, tol=None),
    _fit("perceptron-f64-80000x40-4classes", FOUR, 6.0, estimator="Perceptron"),
    # A small problem, fitted over and over as searches for parameters do.
    _fit("sgd-hinge-f64-100x5", _classes(100, 5, 2), 1.2, repeats=100),
    Workload(
        name="linear_model/sgd-predict-one-by-one",
        data=FOUR,
        dtype="float64",
        task=Named(
            "benchmarks.linear_model.tasks_sgd:predict_rows", {"estimator": "SGDClassifier", "rows": 500, "max_iter": 2}
        ),
        check=Named("benchmarks.linear_model.answers_sgd:same_labels"),
        contenders=CONTENDERS,
        baseline="scikit-learn",
        goals=(Goal(3.0, "scikit-learn"),),
    ),
)
