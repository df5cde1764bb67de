"""Checks catch classifiers that differ, and contenders fit and predict the same."""

import numpy as np
import pytest

from benchmarks.naive_bayes import data, tasks
from benchmarks.naive_bayes.answers import as_exact, same_model
from benchmarks.naive_bayes.workloads import WORKLOADS

COUNTS = data.word_counts(rows=400, features=12, n_classes=3, dtype="float64")
FEWER = {"rows": 400, "n_classes": 3}  # of the arguments of generators, where they have them
BATCH = 100


def job_of(contender, workload):
    """Give a workload's job on fewer rows of the same kind."""
    arguments = {name: FEWER.get(name, value) for name, value in workload.data.arguments.items()}
    made = getattr(data, workload.data.path.rpartition(":")[2])(**arguments, dtype=workload.dtype)
    task = {**workload.task.arguments, **{name: BATCH for name in ("batch", "rows") if name in workload.task.arguments}}
    return getattr(tasks, workload.task.path.rpartition(":")[2])(contender, made, **task)


def answer_of(contender, workload):
    job = job_of(contender, workload)
    return job.answer(job.call())


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda workload: workload.name)
def test_fastml_is_right(workload, no_fallback):
    ours, stock = (answer_of(contender, workload) for contender in ("fastml", "scikit-learn"))
    verdict = workload.check(ours, stock)
    assert verdict.right, verdict.figures


def test_what_differs_is_wrong():
    job = tasks.fit_and_score("scikit-learn", COUNTS, "MultinomialNB")
    reference = job.answer(job.call())
    assert same_model(reference, reference).right
    for name, values in reference["learnt"].items():
        spoilt = {**reference["learnt"], name: values + 1e-8 * np.abs(values).max() * (np.arange(len(values)) == 1)}
        assert not same_model({**reference, "learnt": spoilt}, reference).right, name
        assert same_model({**reference, "learnt": spoilt}, reference, dtype="float32").right, name
        without = {key: value for key, value in reference["learnt"].items() if key != name}
        assert not same_model({**reference, "learnt": without}, reference).right, name
    one_off = np.where(np.arange(len(reference["labels"])) == 3, 1 - reference["labels"], reference["labels"])
    for name, value in {
        "joint": 1.001 * reference["joint"],
        "labels": one_off,
        "score": reference["score"] - 0.01,
    }.items():
        assert not same_model({**reference, name: value}, reference).right, name
    assert same_model(reference, None) is None


def test_one_pass_of_squares_is_found_out():
    """Errors are against extended precision: a variance by the mean of squares has none of its digits left there."""
    made = data.gaussian_classes(rows=2000, features=4, n_classes=2, dtype="float64", mean=1e8, deviation=0.1)
    job = tasks.fit_and_score_exactly("scikit-learn", made, "GaussianNB", var_smoothing=0.0)
    reference = job.answer(job.call())
    assert reference["off"]["variances"] < 1e-6
    learnt = dict(reference["learnt"])
    rows = [made.X[made.y == label] for label in range(2)]
    learnt["var_"] = np.concatenate([np.mean(of_class**2, axis=0) - of_class.mean(axis=0) ** 2 for of_class in rows])
    spoilt = tasks._off_from_exact({**reference, "learnt": learnt}, made)
    assert spoilt["off"]["variances"] > 1
    assert as_exact(reference, reference).right
    assert not as_exact(spoilt, reference).right
    assert not as_exact({**reference, "score": reference["score"] - 0.01}, reference).right
    assert as_exact(reference, None) is None


@pytest.mark.parametrize(
    ("generator", "arguments"),
    [
        ("gaussian_classes", {"rows": 500, "features": 6, "n_classes": 4}),
        ("word_counts", {"rows": 500, "features": 6, "n_classes": 4}),
        ("categories", {"rows": 500, "features": 6, "n_classes": 4, "n_categories": 7}),
    ],
)
def test_rows_are_the_same_each_time_and_of_all_classes(generator, arguments):
    made, again = (getattr(data, generator)(**arguments, dtype="float64") for _ in range(2))
    np.testing.assert_array_equal(made.X, again.X)
    np.testing.assert_array_equal(made.y, again.y)
    assert made.X.shape == (500, 6)
    assert set(made.y) == set(range(4))
    assert len(made.X_held_out) == len(made.y_held_out) == data.HELD_OUT


def test_all_categories_are_among_the_rows_of_the_fit():
    made = data.categories(rows=200, features=5, n_categories=30, n_classes=2, dtype="int64")
    assert all(set(column) == set(range(30)) for column in made.X.T)
    assert made.X_held_out.min() >= 0
    assert made.X_held_out.max() < 30


def test_messages_are_counted_where_the_folder_has_them(tmp_path):
    lines = [
        '"type","text"',
        '"ham","one two two"',
        '"spam","three"',
        '"ham","two"',
        '"spam","three one"',
        '"ham","one"',
    ]
    (tmp_path / "sms-spam.csv").write_text("\n".join(lines) + "\n")
    made = data.message_counts(dtype="int64", data_dir=tmp_path)
    assert made.origin == "SMS, counts"
    rows = np.vstack([made.X.toarray(), made.X_held_out.toarray()])
    labels = np.concatenate([made.y, made.y_held_out])
    assert rows.dtype == np.int64
    np.testing.assert_array_equal(labels, rows[:, 1] > 0)  # of the words one, three, two: spam has the second
    assert sorted(map(tuple, rows)) == [(0, 0, 1), (0, 1, 0), (1, 0, 0), (1, 0, 2), (1, 1, 0)]


def test_drawn_texts_hold_whole_counts():
    made = data.message_counts(dtype="float64")
    np.testing.assert_array_equal(made.X.data, np.round(made.X.data))
    assert made.X.data.min() >= 1
    assert made.X.data.max() > 1
