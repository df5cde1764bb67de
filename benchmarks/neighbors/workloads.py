"""What is measured for neighbours, as a table."""

from __future__ import annotations

from benchmarks.workload import Goal, Named, Workload

ALL = ("scikit-learn", "sklearnex", "faiss", "fastml")  # faiss computes in float32 only, and by these metrics only
LOW_DIMENSION = ("scikit-learn", "sklearnex", "faiss", "pykdtree", "fastml")
ESTIMATORS = ("scikit-learn", "sklearnex", "fastml")


def _search(
    shape: tuple[int, int, int],
    k: int,
    contenders: tuple[str, ...],
    *goals: Goal,
    dtype: str = "float32",
    metric: str = "euclidean",
) -> Workload:
    rows, queries, features = shape
    short = "f32" if dtype == "float32" else "f64"
    named = "" if metric == "euclidean" else f"{metric}-"
    return Workload(
        name=f"neighbors/{named}{short}-{rows}x{features}-q{queries}-k{k}",
        data=Named("benchmarks.datasets:clouds", {"rows": rows, "features": features, "held_out": queries}),
        dtype=dtype,
        task=Named("benchmarks.neighbors.tasks:kneighbors", {"k": k, "metric": metric}),
        check=Named("benchmarks.neighbors.answers:same_neighbors"),
        contenders=contenders,
        baseline="scikit-learn",
        goals=goals,
    )


WORKLOADS: tuple[Workload, ...] = (
    _search((100_000, 20_000, 3), 8, LOW_DIMENSION, Goal(5.0, "scikit-learn"), Goal(1.3, "sklearnex"), Goal(1.0)),
    _search((30_000, 5_000, 12), 5, LOW_DIMENSION, Goal(8.0, "scikit-learn"), Goal(1.3)),
    _search((20_000, 5_000, 96), 10, ALL, Goal(3.0, "scikit-learn"), Goal(1.2)),
    _search((8_000, 4_000, 784), 5, ALL, Goal(3.0, "scikit-learn"), Goal(1.2)),
    _search((20_000, 4_000, 32), 5, ALL, Goal(1.5, "sklearnex"), Goal(1.3, "faiss"), dtype="float64"),
    _search((20_000, 3_000, 24), 5, ESTIMATORS, Goal(8.0, "scikit-learn"), Goal(1.3, "sklearnex"), metric="manhattan"),
    _search((20_000, 4_000, 64), 5, ESTIMATORS, Goal(8.0, "scikit-learn"), Goal(1.1, "sklearnex"), metric="cosine"),
    _search((20_000, 4_000, 32), 200, ALL, Goal(3.0, "scikit-learn")),
    Workload(
        name="neighbors/classify-mnist-8000-q2000-k5",
        data=Named("benchmarks.datasets:digits"),
        dtype="float32",
        task=Named("benchmarks.neighbors.tasks:predict", {"k": 5}),
        check=Named("benchmarks.neighbors.answers:same_predictions", {"least": 1.0}),
        contenders=ESTIMATORS,
        baseline="scikit-learn",
        goals=(Goal(1.3, "sklearnex"),),
    ),
    Workload(
        name="neighbors/one-by-one-f32-10000x10-k5",
        data=Named("benchmarks.datasets:clouds", {"rows": 10_000, "features": 10, "held_out": 300}),
        dtype="float32",
        task=Named("benchmarks.neighbors.tasks:one_by_one", {"k": 5, "queries": 200}),
        check=Named("benchmarks.neighbors.answers:same_neighbors"),
        contenders=ALL,
        baseline="scikit-learn",
        goals=(Goal(5.0, "scikit-learn"),),
    ),
)
