"""Checks catch coefficients that differ, and contenders fit the same."""

import numpy as np
import pytest

from benchmarks.datasets import numbers
from benchmarks.linear_model import tasks_least_squares as tasks
from benchmarks.linear_model.answers_least_squares import same_coefficients
from benchmarks.linear_model.least_squares import WORKLOADS


@pytest.fixture(scope="module")
def data():
    return numbers(rows=300, features=6, held_out=10, dtype="float64")


def answer_of(contender, data, estimator, **parameters):
    job = tasks.fit(contender, data, estimator, repeats=2, classes="Classifier" in estimator, parameters=parameters)
    return job.answer(job.call())


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda workload: workload.name)
def test_fastml_is_right(workload, data):
    arguments = workload.task.arguments
    ours, stock = (
        answer_of(contender, data, arguments["estimator"], **arguments["parameters"])
        for contender in ("fastml", "scikit-learn")
    )
    assert same_coefficients(ours, stock).right


def test_what_differs_is_wrong(data):
    reference = answer_of("scikit-learn", data, "RidgeCV")
    for name, off in (("coef", 1e-8), ("intercept", 1e-6), ("alpha", 1.0)):
        assert not same_coefficients(
            {**reference, name: reference[name] + off * np.max(reference["coef"])}, reference
        ).right
    assert same_coefficients(reference, None) is None
