"""What is measured for support vector machines, as a table."""

from __future__ import annotations

from typing import Any

from benchmarks.workload import Goal, Named, Workload

ALL = ("scikit-learn", "sklearnex", "fastml")
NOT_SKLEARNEX = ("scikit-learn", "fastml")  # it has no linear machines of its own

MESSAGES = Named("benchmarks.linear_model.data_logistic:messages")
IRIS = Named("benchmarks.svm.data:iris")


def _classes(rows: int, features: int, n_classes: int, held_out: int) -> Named:
    shape = {"rows": rows, "features": features, "n_classes": n_classes, "held_out": held_out}
    return Named("benchmarks.svm.data:scaled_classes", shape)


def _row(
    name: str,
    data: Named,
    task: str,
    over_scikit_learn: float,
    over_sklearnex: float | None = None,
    contenders: tuple[str, ...] = ALL,
    estimator: str = "SVC",
    **parameters: Any,
) -> Workload:
    goals = (Goal(over_scikit_learn, "scikit-learn"),)
    return Workload(
        name=f"svm/{name}",
        data=data,
        dtype="float64",  # what LIBSVM computes in; scikit-learn converts all else
        task=Named(f"benchmarks.svm.tasks:{task}", {"estimator": estimator, **parameters}),
        check=Named("benchmarks.svm.answers:same_machine"),
        contenders=contenders,
        baseline="scikit-learn",
        goals=goals if over_sklearnex is None else (*goals, Goal(over_sklearnex, "sklearnex")),
    )


WORKLOADS: tuple[Workload, ...] = (
    _row("svc-rbf-fit-score-6000x30-4classes", _classes(6000, 30, 4, 2000), "fit_and_score", 4.0, 1.5),
    _row("svc-rbf-predict-10000x30-fit-4000", _classes(4000, 30, 4, 10_000), "predict", 12.0, 1.2),
    _row("svc-rbf-mnist-8000", Named("benchmarks.datasets:digits"), "fit", 6.0, 1.3),
    _row(
        "svr-rbf-5000x20-C100",
        Named("benchmarks.svm.data:curved_numbers", {"rows": 5000, "features": 20, "held_out": 1000}),
        "fit",
        4.0,
        1.3,
        estimator="SVR",
        C=100.0,
    ),
    _row("svc-linear-3000x20", _classes(3000, 20, 2, 1000), "fit", 3.0, kernel="linear"),
    _row("svc-poly-3000x20", _classes(3000, 20, 2, 1000), "fit", 3.0, kernel="poly"),
    _row("svc-linear-messages", MESSAGES, "fit", 2.0, kernel="linear"),
    _row("svc-rbf-messages", MESSAGES, "fit", 2.0),
    _row(
        "linear-svc-20000x100",
        _classes(20_000, 100, 2, 1000),
        "fit",
        2.5,
        contenders=NOT_SKLEARNEX,
        estimator="LinearSVC",
    ),
    _row("linear-svc-messages", MESSAGES, "fit", 1.2, contenders=NOT_SKLEARNEX, estimator="LinearSVC", random_state=0),
    _row("svc-rbf-iris-fit-predict", IRIS, "fit_and_score", 1.0),
    _row("svc-rbf-predict-one-row", _classes(2000, 30, 4, 1000), "predict_one_row", 2.0, rows=200),
    _row(
        "linear-svc-predict-one-row",
        _classes(2000, 30, 4, 1000),
        "predict_one_row",
        2.0,
        contenders=NOT_SKLEARNEX,
        estimator="LinearSVC",
        rows=200,
    ),
)
