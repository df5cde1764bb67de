"""What is measured for naive Bayes classifiers, as a table."""

from __future__ import annotations

from typing import Any

from benchmarks.workload import Goal, Named, Workload

CONTENDERS = ("scikit-learn", "fastml")  # sklearnex has none of its own

ONE_ROW = 200
BATCHES, BATCH = 1000, 200


def _data(generator: str, **arguments: Any) -> Named:
    return Named(f"benchmarks.naive_bayes.data:{generator}", arguments)


def _row(
    name: str, data: Named, task: str, goal: float | None, estimator: str, dtype: str = "float64", **arguments: Any
) -> Workload:
    return Workload(
        name=f"naive_bayes/{name}",
        data=data,
        dtype=dtype,
        task=Named(f"benchmarks.naive_bayes.tasks:{task}", {"estimator": estimator, **arguments}),
        check=Named(
            "benchmarks.naive_bayes.answers:same_model", {"dtype": "float32" if dtype == "float32" else "float64"}
        ),
        contenders=CONTENDERS,
        baseline="scikit-learn",
        goals=() if goal is None else (Goal(goal, "scikit-learn"),),
    )


GAUSSIANS = _data("gaussian_classes", rows=300_000, features=30, n_classes=5)
COUNTS = _data("word_counts", rows=100_000, features=200, n_classes=10)
MESSAGES = _data("message_counts")
CATEGORIES = _data("categories", rows=100_000, features=20, n_categories=30, n_classes=5)

# Rows of a size that is drawn at once, for what is asked of one row.
FEW = {
    "GaussianNB": _data("gaussian_classes", rows=2000, features=30, n_classes=5),
    "MultinomialNB": _data("word_counts", rows=2000, features=200, n_classes=10),
    "ComplementNB": _data("word_counts", rows=2000, features=200, n_classes=10),
    "BernoulliNB": _data("word_counts", rows=2000, features=200, n_classes=10),
    "CategoricalNB": _data("categories", rows=2000, features=20, n_categories=30, n_classes=5),
}
STREAMS = {
    "GaussianNB": _data("gaussian_classes", rows=BATCHES * BATCH, features=30, n_classes=5),
    "MultinomialNB": _data("word_counts", rows=BATCHES * BATCH, features=200, n_classes=10),
    "ComplementNB": _data("word_counts", rows=BATCHES * BATCH, features=200, n_classes=10),
    "BernoulliNB": _data("word_counts", rows=BATCHES * BATCH, features=200, n_classes=10),
    "CategoricalNB": _data("categories", rows=BATCHES * BATCH, features=20, n_categories=30, n_classes=5),
}


def _ill_scaled(rows: int, features: int) -> Workload:
    """Means of 1e8, variances of 1e-2: what sums of squares lose, means and deviations do not."""
    return Workload(
        name="naive_bayes/gaussian-f64-ill-scaled",
        data=_data("gaussian_classes", rows=rows, features=features, n_classes=5, mean=1e8, deviation=0.1),
        dtype="float64",
        task=Named(
            "benchmarks.naive_bayes.tasks:fit_and_score_exactly", {"estimator": "GaussianNB", "var_smoothing": 0.0}
        ),
        check=Named("benchmarks.naive_bayes.answers:as_exact"),
        contenders=CONTENDERS,
        baseline="scikit-learn",
    )


WORKLOADS: tuple[Workload, ...] = (
    _row("gaussian-f32-300000x30-5classes", GAUSSIANS, "fit_and_score", 8.0, "GaussianNB", dtype="float32"),
    _row("gaussian-f64-300000x30-5classes", GAUSSIANS, "fit_and_score", 8.0, "GaussianNB"),
    _row("multinomial-f64-100000x200-10classes", COUNTS, "fit_and_score", 3.0, "MultinomialNB"),
    _row("complement-f64-100000x200-10classes", COUNTS, "fit_and_score", 3.0, "ComplementNB"),
    _row("bernoulli-f64-100000x200-10classes", COUNTS, "fit_and_score", 3.0, "BernoulliNB"),
    _row("multinomial-csr-messages", MESSAGES, "fit_and_score", 1.5, "MultinomialNB"),
    _row("multinomial-csr-int64-messages", MESSAGES, "fit_and_score", 1.5, "MultinomialNB", dtype="int64"),
    _row("categorical-int64-100000x20-30categories", CATEGORIES, "fit_and_score", 6.0, "CategoricalNB", dtype="int64"),
    _row("categorical-f64-100000x20-30categories", CATEGORIES, "fit_and_score", 6.0, "CategoricalNB"),
    *(
        _row(
            f"partial-fit-{estimator.removesuffix('NB').lower()}-{BATCHES}-batches",
            data,
            "partial_fit",
            4.0,
            estimator,
            batch=BATCH,
            dtype="int64" if estimator == "CategoricalNB" else "float64",
            # A batch need not hold all categories that later ones do.
            **({"min_categories": 30} if estimator == "CategoricalNB" else {}),
        )
        for estimator, data in STREAMS.items()
    ),
    *(
        _row(
            f"{estimator.removesuffix('NB').lower()}-predict-one-row",
            data,
            "predict_one_row",
            3.0,
            estimator,
            rows=ONE_ROW,
            dtype="int64" if estimator == "CategoricalNB" else "float64",
        )
        for estimator, data in FEW.items()
    ),
    _ill_scaled(50_000, 20),
)
