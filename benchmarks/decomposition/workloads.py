"""What is measured for decompositions, as a table."""

from __future__ import annotations

from typing import Any

from benchmarks.workload import Goal, Named, Workload

ALL = ("scikit-learn", "sklearnex", "fastml")
# sklearnex has PCA by covariances only; its IncrementalPCA adds up whole covariances, which is another model.
NOT_SKLEARNEX = ("scikit-learn", "fastml")

ONE_ROW = 200


def _data(generator: str, **arguments: Any) -> Named:
    return Named(f"benchmarks.decomposition.data:{generator}", arguments)


def _row(
    name: str,
    data: Named,
    task: str,
    goal: float | None,
    estimator: str,
    n_components: int,
    dtype: str = "float64",
    contenders: tuple[str, ...] = NOT_SKLEARNEX,
    **arguments: Any,
) -> Workload:
    over = ("scikit-learn", "sklearnex") if "sklearnex" in contenders else ("scikit-learn",)
    return Workload(
        name=f"decomposition/{name}",
        data=data,
        dtype=dtype,
        task=Named(
            f"benchmarks.decomposition.tasks:{task}",
            {"estimator": estimator, "n_components": n_components, **arguments},
        ),
        check=Named("benchmarks.decomposition.answers:same_span", {"dtype": dtype}),
        contenders=contenders,
        baseline="scikit-learn",
        goals=() if goal is None else tuple(Goal(goal, peer) for peer in over),
    )


TALL = _data("directions", rows=100_000, features=100, rank=30)
WIDE = _data("directions", rows=5000, features=2000, rank=80)
HALF_TALL = _data("directions", rows=50_000, features=100, rank=30)
DIGITS = _data("digits")
TEXTS = _data("texts", rows=20_000, features=20_000, density=0.002)
RANDOM_PLACES = _data("random_places", rows=20_000, features=20_000, density=0.002)
FEW = _data("directions", rows=2000, features=100, rank=30)
FEW_TEXTS = _data("texts", rows=2000, features=2000, density=0.01)
FIXED = {"random_state": 0}  # all draw the same

WORKLOADS: tuple[Workload, ...] = (
    _row("pca-f64-100000x100-20", TALL, "fit", 1.5, "PCA", 20, contenders=ALL),
    _row("pca-f32-100000x100-20", TALL, "fit", 1.5, "PCA", 20, dtype="float32", contenders=ALL),
    _row("pca-f64-mnist-50", DIGITS, "fit", 1.5, "PCA", 50, contenders=ALL),
    _row("pca-f32-mnist-50", DIGITS, "fit", 1.5, "PCA", 50, dtype="float32", contenders=ALL),
    _row("pca-randomized-f64-5000x2000-50", WIDE, "fit", 1.0, "PCA", 50, svd_solver="randomized", **FIXED),
    _row(
        "pca-full-f64-5000x300-20",
        _data("directions", rows=5000, features=300, rank=30),
        "fit",
        1.0,
        "PCA",
        20,
        svd_solver="full",
    ),
    _row("pca-transform-f64-100000x100-20", TALL, "transform", 1.0, "PCA", 20, contenders=ALL),
    _row("incremental-pca-f64-50000x100-20", HALF_TALL, "fit", 1.0, "IncrementalPCA", 20),
    _row("truncated-svd-csr-texts-20000x20000-50", TEXTS, "fit", 1.5, "TruncatedSVD", 50, **FIXED),
    _row("truncated-svd-csr-random-20000x20000-50", RANDOM_PLACES, "fit", 1.5, "TruncatedSVD", 50, **FIXED),
    _row("pca-transform-one-row", FEW, "transform_one_row", 3.0, "PCA", 20, rows=ONE_ROW, contenders=ALL),
    _row("incremental-pca-transform-one-row", FEW, "transform_one_row", 3.0, "IncrementalPCA", 20, rows=ONE_ROW),
    _row(
        "truncated-svd-transform-one-row",
        FEW_TEXTS,
        "transform_one_row",
        3.0,
        "TruncatedSVD",
        20,
        rows=ONE_ROW,
        **FIXED,
    ),
    Workload(
        name="decomposition/pca-f64-ill-scaled",
        data=_data("directions", rows=20_000, features=30, rank=10, mean=1e8, deviation=0.1),
        dtype="float64",
        task=Named("benchmarks.decomposition.tasks:fit_exactly", {"estimator": "PCA", "n_components": 10}),
        check=Named("benchmarks.decomposition.answers:as_exact"),
        contenders=NOT_SKLEARNEX,
        baseline="scikit-learn",
    ),
)
