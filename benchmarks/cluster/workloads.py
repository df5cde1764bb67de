"""What is measured for clustering, as a table."""

from __future__ import annotations

from typing import Any

from benchmarks.workload import Goal, Named, Workload

LLOYD = ("scikit-learn", "sklearnex", "faiss", "fastml")  # faiss computes in float32 only
ESTIMATOR = ("scikit-learn", "sklearnex", "fastml")
SCIKIT_LEARN_ONLY = ("scikit-learn", "fastml")  # no other peer has it

# Without structure, rows at the border between two centroids go either way with the rounding, and take the centroids
# with them: after 25 iterations the labels depend on the order of sums. Inertia still agrees.
ANY_LABELS = 0.0
# Relative to scikit-learn's inertia. From the same start, float32 runs part by the order of sums only.
SAME_INERTIA = {"float32": 1e-4, "float64": 1e-6}


def _data(generator: str, **arguments: Any) -> Named:
    return Named(f"benchmarks.datasets:{generator}", arguments)


def _task(function: str, **arguments: Any) -> Named:
    return Named(f"benchmarks.cluster.tasks:{function}", arguments)


def _clustering(inertia: float, labels: float = ANY_LABELS) -> Named:
    return Named("benchmarks.cluster.answers:same_clustering", {"inertia": inertia, "labels": labels})


def _labels(least: float) -> Named:
    return Named("benchmarks.cluster.answers:same_labels", {"least": least})


def _given_start(
    name: str,
    data: Named,
    dtype: str,
    contenders: tuple[str, ...],
    goal: Goal | None,
    algorithm: str = "lloyd",
    labels: float = 0.99,
    memory: bool = False,
) -> Workload:
    """25 iterations from the same centroids, never stopped early by tolerance."""
    return Workload(
        name=f"cluster/kmeans-{name}",
        data=data,
        dtype=dtype,
        task=_task("fit_from_starts", iterations=25, algorithm=algorithm),
        check=_clustering(SAME_INERTIA[dtype], labels),
        contenders=contenders,
        baseline="scikit-learn",
        memory=memory,
        goals=() if goal is None else (goal,),
    )


def _estimator(
    name: str,
    data: Named,
    dtype: str,
    task: Named,
    check: Named,
    contenders: tuple[str, ...] = ESTIMATOR,
    goal: Goal | None = None,
    memory: bool = False,
) -> Workload:
    goals = () if goal is None else (goal,)
    return Workload(f"cluster/{name}", data, dtype, task, check, contenders, "scikit-learn", goals=goals, memory=memory)


LOW = {"rows": 200_000, "features": 8}
MIDDLE = {"rows": 60_000, "features": 48}
DEFAULTS_DATA = _data("overlapping_blobs", rows=50_000, features=16, centers=50, separation=4.0)
MINI_BATCH_DATA = _data("overlapping_blobs", rows=200_000, features=16, centers=64, separation=4.0)
IRIS = _data("iris")


def _dbscan(name: str, data: Named, dtype: str, eps: float, goal: Goal, memory: bool = False) -> Workload:
    """All contenders get all threads: scikit-learn's default is one where it searches a tree."""
    task = _task("fit_labels", estimator="DBSCAN", eps=eps, min_samples=10, n_jobs=-1)
    return _estimator(f"dbscan-{name}", data, dtype, task, _labels(1.0), goal=goal, memory=memory)


WORKLOADS: tuple[Workload, ...] = (
    _given_start(
        "f32-200000x8-k12-blobs",
        _data("overlapping_blobs", centers=12, separation=3.0, **LOW),
        "float32",
        LLOYD,
        Goal(3.0),
        memory=True,
    ),
    _given_start(
        "f32-200000x8-k12-uniform", _data("uniform", starts=12, **LOW), "float32", LLOYD, Goal(3.0), labels=ANY_LABELS
    ),
    _given_start(
        "f32-60000x48-k128-blobs",
        _data("overlapping_blobs", centers=128, separation=5.0, **MIDDLE),
        "float32",
        LLOYD,
        Goal(1.3),
        memory=True,
    ),
    _given_start(
        "f32-60000x48-k128-uniform",
        _data("uniform", starts=128, **MIDDLE),
        "float32",
        LLOYD,
        Goal(1.3),
        labels=ANY_LABELS,
    ),
    _given_start(
        "f32-15000x784-k10-digits",
        _data("digit_images", rows=15_000, starts=10),
        "float32",
        LLOYD,
        Goal(1.3),
        memory=True,
    ),
    _given_start(
        "f32-15000x784-k10-uniform",
        _data("uniform", rows=15_000, features=784, starts=10),
        "float32",
        LLOYD,
        Goal(1.3),
        labels=ANY_LABELS,
    ),
    _given_start(
        "f64-100000x20-k20-uniform",
        _data("uniform", rows=100_000, features=20, starts=20),
        "float64",
        ESTIMATOR,
        Goal(1.3),
        memory=True,
    ),
    _given_start(
        "elkan-f64-50000x16-k50",
        DEFAULTS_DATA,
        "float64",
        ESTIMATOR,
        None,
        algorithm="elkan",
    ),
    _given_start(
        "csr-f64-20000x5000-k20",
        _data("sparse_texts", rows=20_000, features=5_000, density=0.005, starts=20),
        "float64",
        ESTIMATOR,
        None,
        memory=True,
    ),
    *(
        _estimator(
            f"kmeans-defaults-{short}-50000x16-k50",
            DEFAULTS_DATA,
            dtype,
            _task("fit", estimator="KMeans", n_clusters=50, n_init=3, random_state=0),
            _clustering(SAME_INERTIA[dtype]),
            goal=Goal(3.0, "scikit-learn"),
        )
        for short, dtype in (("f64", "float64"), ("f32", "float32"))
    ),
    *(
        _estimator(
            f"minibatch-{short}-200000x16-k64",
            MINI_BATCH_DATA,
            dtype,
            _task("fit", estimator="MiniBatchKMeans", n_clusters=64, n_init=3, random_state=0),
            _clustering(0.01),
            contenders=SCIKIT_LEARN_ONLY,
            goal=Goal(3.0, "scikit-learn"),
            memory=dtype == "float64",
        )
        for short, dtype in (("f64", "float64"), ("f32", "float32"))
    ),
    _estimator(
        "kmeans-iris-fit-predict",
        IRIS,
        "float64",
        _task("fit_and_predict", estimator="KMeans", n_clusters=3, random_state=0),
        _clustering(1e-6, labels=0.99),
        goal=Goal(1.0, "scikit-learn"),
    ),
    *(
        _estimator(
            f"predict-f32-{rows}x16-k64",
            _data("overlapping_blobs", rows=200_000, features=16, centers=64, separation=4.0),
            "float32",
            _task("predict", rows=rows),
            _labels(0.9999),
            contenders=LLOYD,
            goal=goal,
        )
        for rows, goal in ((1, Goal(1.0, "scikit-learn")), (200_000, Goal(1.3)))
    ),
    *(
        _estimator(
            f"kmeans_plusplus-{short}-50000x16-k50",
            DEFAULTS_DATA,
            dtype,
            _task("seed", n_clusters=50, random_state=0),
            _labels(1.0),
            contenders=SCIKIT_LEARN_ONLY,
        )
        for short, dtype in (("f64", "float64"), ("f32", "float32"))
    ),
    _dbscan(
        "f64-30000x3",
        _data("blobs_in_noise", rows=30_000, features=3, centers=10, noise=0.1),
        "float64",
        0.5,
        Goal(8.0, "scikit-learn"),
        memory=True,
    ),
    *(
        _dbscan(
            f"{short}-20000x32",
            _data("blobs_in_noise", rows=20_000, features=32, centers=10, noise=0.1),
            dtype,
            6.5,
            Goal(3.0, "scikit-learn"),
            memory=dtype == "float64",
        )
        for short, dtype in (("f64", "float64"), ("f32", "float32"))
    ),
    _dbscan(
        "f64-20000x32-sparse-clusters",
        _data("blobs_in_noise", rows=20_000, features=32, centers=10, noise=0.1),
        "float64",
        5.0,
        Goal(3.0, "scikit-learn"),
    ),
    # A few thousand neighbours each, of which scikit-learn keeps a list.
    _dbscan(
        "f64-15000x3-dense",
        _data("blobs_in_noise", rows=15_000, features=3, centers=2, noise=0.1),
        "float64",
        1.5,
        Goal(8.0, "scikit-learn"),
        memory=True,
    ),
)
