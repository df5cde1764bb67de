"""Checks catch wrong answers, and contenders do the same work."""

import numpy as np
import pytest

from benchmarks.cluster import tasks
from benchmarks.cluster.answers import same_clustering, same_labels
from benchmarks.datasets import factors, overlapping_blobs
from benchmarks.gemm.answers import small_error
from benchmarks.gemm.tasks import product, relative_error


@pytest.fixture
def samples():
    return overlapping_blobs(rows=600, features=4, centers=5, separation=3.0, dtype="float32")


@pytest.fixture
def reference():
    labels = np.arange(1000) % 10
    return {"labels": labels, "inertia": 50.0, "reported": 50.0, "iterations": 25, "own_draws": False}


def test_the_same_clustering_is_right(reference):
    assert same_clustering(reference, reference, inertia=0.0, labels=1.0).right


def test_a_better_inertia_is_right_and_a_worse_one_wrong(reference):
    assert same_clustering(reference | {"inertia": 49.0, "reported": 49.0}, reference, inertia=1e-6, labels=1.0).right
    worse = reference | {"inertia": 50.1, "reported": 50.1}
    assert not same_clustering(worse, reference, inertia=1e-4, labels=1.0).right


def test_other_labels_are_wrong_where_they_matter(reference):
    other = reference | {"labels": (reference["labels"] + 1) % 10}
    assert not same_clustering(other, reference, inertia=1e-6, labels=0.99).right
    assert same_clustering(other, reference, inertia=1e-6, labels=0.0).right
    assert not same_labels(other, reference, least=0.99).right


def test_a_contender_is_not_taken_at_its_word(reference):
    boast = reference | {"reported": 40.0}
    verdict = same_clustering(boast, reference, inertia=1e-6, labels=1.0)
    assert not verdict.right
    assert "reported inertia" in verdict.figures


def test_draws_of_its_own_excuse_other_labels_but_no_bad_clustering(reference):
    other = {**reference, "labels": (reference["labels"] + 1) % 10, "own_draws": True}
    assert same_clustering(other, reference, inertia=1e-6, labels=0.99).right
    assert not same_clustering(other | {"inertia": 55.0, "reported": 55.0}, reference, inertia=1e-6, labels=0.99).right


def test_fewer_labels_than_rows_are_wrong(reference):
    assert not same_labels({"labels": reference["labels"][:-1]}, reference, least=0.5).right


def test_without_a_reference_there_is_no_verdict(reference):
    assert same_clustering(reference, None, inertia=0.0, labels=1.0) is None
    assert same_labels(reference, None, least=1.0) is None


def test_inertia_is_the_sum_of_squared_distances(samples):
    labels = np.arange(600) % 5
    expected = ((samples.X.astype(np.float64) - samples.starts[labels]) ** 2).sum()
    assert tasks.inertia(samples.X, samples.starts, labels) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("iterations", [1, 4])
def test_faiss_starts_from_the_given_centroids_and_ends_where_scikit_learn_does(samples, iterations):
    pytest.importorskip("faiss", reason="a peer, installed with the bench extra")
    answers = {}
    for contender in ("scikit-learn", "faiss"):
        job = tasks.fit_from_starts(contender, samples, iterations=iterations, algorithm="lloyd")
        answers[contender] = job.answer(job.call())
    # 600 rows of float32 without ties: both compute the same centroids up to rounding, from the first iteration on.
    assert answers["faiss"]["inertia"] == pytest.approx(answers["scikit-learn"]["inertia"], rel=1e-6)
    np.testing.assert_array_equal(answers["faiss"]["labels"], answers["scikit-learn"]["labels"])


@pytest.mark.parametrize("rows", [1, 600])
def test_all_peers_predict_from_the_same_centroids(samples, rows):
    pytest.importorskip("faiss", reason="a peer, installed with the bench extra")
    labels = []
    for contender in ("scikit-learn", "faiss"):
        job = tasks.predict(contender, samples, rows)
        labels.append(job.answer(job.call())["labels"])
    expected = ((samples.X[:rows, None] - samples.starts) ** 2).sum(axis=2).argmin(axis=1)
    np.testing.assert_array_equal(labels[0], expected)
    np.testing.assert_array_equal(labels[1], expected)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("contender", ["numpy", "scipy"])
def test_products_are_written_where_they_belong(contender, dtype):
    job = product(contender, factors(m=7, n=5, k=3, dtype=dtype))
    assert small_error(job.answer(job.call()), None, inner=3, dtype=dtype).right


def test_a_wrong_or_missing_product_is_caught():
    data = factors(m=7, n=5, k=3, dtype="float64")
    out = data.left @ data.right
    for wrong in (out[2, 3] * (1 + 1e-9), np.nan):
        spoilt = out.copy()
        spoilt[2, 3] = wrong
        answer = {"error": relative_error(data.left, data.right, spoilt)}
        assert not small_error(answer, None, inner=3, dtype="float64").right
