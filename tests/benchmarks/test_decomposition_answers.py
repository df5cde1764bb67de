"""Checks catch decompositions that differ, and contenders come to the same."""

import numpy as np
import pytest

from benchmarks.datasets import Labelled
from benchmarks.decomposition import data, tasks
from benchmarks.decomposition.answers import as_exact, same_span
from benchmarks.decomposition.workloads import WORKLOADS

FEWER = {
    "rows": 600,
    "features": 60,
    "rank": 30,
    "density": 0.1,
}  # of the arguments of generators, where they have them


def answer_of(contender, workload):
    """Give the answer to a workload on fewer rows of the same kind."""
    arguments = {name: FEWER.get(name, value) for name, value in workload.data.arguments.items()}
    made = getattr(data, workload.data.path.rpartition(":")[2])(**arguments, dtype=workload.dtype)
    made = Labelled(made.X[:600], made.y[:600], made.X_held_out, made.y_held_out, made.origin)
    task = {**workload.task.arguments, **({"rows": 5} if "rows" in workload.task.arguments else {})}
    job = getattr(tasks, workload.task.path.rpartition(":")[2])(contender, made, **task)
    return job.answer(job.call())


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda workload: workload.name)
def test_fastml_is_right(workload, no_fallback):
    ours, stock = (answer_of(contender, workload) for contender in ("fastml", "scikit-learn"))
    verdict = workload.check(ours, stock)
    assert verdict.right, verdict.figures


def test_what_differs_is_wrong():
    made = data.directions(rows=500, features=20, rank=10, dtype="float64")
    job = tasks.fit("scikit-learn", made, "PCA", n_components=6)
    reference = job.answer(job.call())
    assert same_span(reference, reference).right
    turned = reference["components"].copy()
    turned[0] = np.cos(1e-3) * turned[0] + np.sin(1e-3) * np.linalg.svd(turned)[2][-1]  # towards what is left out
    spoilt = {
        "components": turned,
        "singular_values": reference["singular_values"] * [1, 1, 1, 1, 1, 1 + 1e-6],
        "explained": reference["explained"] + 1e-6,
        "captured": reference["captured"] - 1e-6,
        "transformed": 1.001 * reference["transformed"],
    }
    for name, value in spoilt.items():
        assert not same_span({**reference, name: value}, reference).right, name
    assert not same_span({**reference, "components": turned[:5]}, reference).right
    assert same_span(reference, None) is None


def test_signs_and_close_components_may_be_others():
    made = data.directions(rows=500, features=20, rank=10, dtype="float64")
    job = tasks.fit("scikit-learn", made, "PCA", n_components=6)
    reference = job.answer(job.call())
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(6, 6)))[0]
    turned = {"components": rotation @ reference["components"], "transformed": reference["transformed"] @ rotation.T}
    assert same_span({**reference, **turned}, reference).right


def test_variances_are_held_against_rows_centred_in_extended_precision():
    made = data.directions(rows=2000, features=8, rank=4, dtype="float64", mean=1e8, deviation=0.1)
    offsets = {}
    for solver in ("full", "covariance_eigh"):
        job = tasks.fit_exactly("scikit-learn", made, "PCA", n_components=4, svd_solver=solver)
        offsets[solver] = job.answer(job.call())
    assert offsets["full"]["off"] < 1e-8
    assert offsets["covariance_eigh"]["off"] > 1e-3  # squares of 1e8 hold no digit of 0.01
    assert as_exact(offsets["full"], offsets["covariance_eigh"]).right
    assert not as_exact(offsets["covariance_eigh"], offsets["full"]).right
    assert as_exact(offsets["full"], None) is None


@pytest.mark.parametrize(
    ("generator", "arguments"),
    [
        ("directions", {"rank": 5}),
        ("texts", {"density": 0.05}),
        ("random_places", {"density": 0.05}),
    ],
)
def test_rows_are_the_same_each_time(generator, arguments):
    made, again = (getattr(data, generator)(rows=600, features=60, **arguments, dtype="float32") for _ in range(2))
    first, second = (each.X.toarray() if hasattr(each.X, "toarray") else each.X for each in (made, again))
    np.testing.assert_array_equal(first, second)
    assert first.shape == (600, 60)
    assert first.dtype == np.float32
    assert made.X_held_out.shape == (data.HELD_OUT, 60)


def test_directions_have_the_means_and_deviations_asked_for():
    X = data.directions(rows=5000, features=10, rank=3, dtype="float64", mean=1e8, deviation=0.1).X
    np.testing.assert_allclose(X.mean(axis=0), 1e8, rtol=1e-2)
    np.testing.assert_allclose(X.std(axis=0), 0.1, rtol=0.1)
