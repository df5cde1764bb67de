"""Checks catch machines that differ, and contenders fit and predict the same."""

import numpy as np
import pytest

from benchmarks.datasets import Labelled
from benchmarks.linear_model.data_logistic import messages
from benchmarks.svm import tasks
from benchmarks.svm.answers import same_machine
from benchmarks.svm.data import curved_numbers, iris, scaled_classes
from benchmarks.svm.objectives import dual_objectives, squared_hinge_objectives
from benchmarks.svm.workloads import WORKLOADS

CLASSES = scaled_classes(rows=240, features=9, n_classes=3, held_out=60, dtype="float64")


def data_of(workload):
    """Return fewer rows of the same kind."""
    generator = workload.data.path.rpartition(":")[2]
    if generator == "curved_numbers":
        return curved_numbers(rows=200, features=6, held_out=60, dtype="float64")
    if generator == "messages":
        drawn = messages(dtype="float64")
        return Labelled(drawn.X[:200], drawn.y[:200], drawn.X_held_out[:60], drawn.y_held_out[:60], drawn.origin)
    return iris(dtype="float64") if generator == "iris" else CLASSES


def answer_of(contender, data, task="fit", estimator="SVC", **parameters):
    job = getattr(tasks, task)(contender, data, estimator=estimator, **parameters)
    return job.answer(job.call())


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda workload: workload.name)
def test_fastml_is_right(workload, no_fallback):
    data, task = data_of(workload), workload.task.path.rpartition(":")[2]
    arguments = dict(workload.task.arguments, **({"rows": 5} if "rows" in workload.task.arguments else {}))
    ours, stock = (answer_of(contender, data, task, **arguments) for contender in ("fastml", "scikit-learn"))
    verdict = same_machine(ours, stock)
    assert verdict.right, verdict.figures
    assert len(ours["labels"]) == arguments.get("rows", len(data.y_held_out))


def test_what_differs_is_wrong():
    reference = answer_of("scikit-learn", CLASSES)
    assert same_machine(reference, reference).right
    spoilt = {
        "objectives": reference["objectives"] + np.abs(reference["objectives"]) * [0, 2e-6, 0],
        "values": reference["values"] + 2e-3,
        "score": reference["score"] - 0.01,
    }
    for name, value in spoilt.items():
        assert not same_machine({**reference, name: value}, reference).right, name
    lower = {**reference, "objectives": 1.01 * reference["objectives"]}  # they are below zero
    assert same_machine(lower, reference).right
    assert same_machine(reference, None) is None


def test_other_steps_may_end_elsewhere_within_tol_but_not_higher():
    reference = answer_of("scikit-learn", CLASSES)
    other = {**reference, "values": reference["values"] + 5e-3, "own_steps": True}
    assert same_machine(other, reference).right
    assert not same_machine({**other, "values": reference["values"] + 0.05}, reference).right
    assert not same_machine({**other, "objectives": 0.99 * reference["objectives"]}, reference).right


@pytest.mark.parametrize(("estimator", "kernel"), [("SVC", "rbf"), ("SVC", "poly"), ("SVC", "linear"), ("SVR", "rbf")])
def test_no_duality_gap_is_left_at_a_small_tolerance(estimator, kernel):
    """The dual objective is what is made small: it meets the primal one, which is taken of decision values."""
    data = CLASSES if estimator == "SVC" else curved_numbers(rows=200, features=6, held_out=60, dtype="float64")
    pair = data.y != 2 if estimator == "SVC" else slice(None)
    data = Labelled(data.X[pair], data.y[pair], data.X_held_out, data.y_held_out, data.origin)
    model = tasks._model("scikit-learn", estimator, {"kernel": kernel, "tol": 1e-8, "C": 2.0}).fit(data.X, data.y)
    (dual,) = dual_objectives(model, data)
    if estimator == "SVC":
        signs = np.where(data.y == model.classes_[1], 1, -1)
        values = model.decision_function(data.X)
        losses, linear = np.maximum(0, 1 - signs * values), np.abs(model.dual_coef_).sum()
    else:
        values = model.predict(data.X)
        losses = np.maximum(0, np.abs(values - data.y) - model.epsilon)
        linear = data.y[model.support_] @ model.dual_coef_[0] - model.epsilon * np.abs(model.dual_coef_).sum()
    squared_norm = 2 * (dual + linear)  # c'Kc
    assert 0.5 * squared_norm + 2.0 * losses.sum() == pytest.approx(-dual, rel=1e-6)


def test_objectives_of_pairs_are_those_of_machines_fitted_to_the_pairs():
    model = tasks._model("scikit-learn", "SVC", {"gamma": 0.1}).fit(CLASSES.X, CLASSES.y)
    together = dual_objectives(model, CLASSES)
    for number, pair in enumerate([(0, 1), (0, 2), (1, 2)]):
        rows = np.isin(CLASSES.y, pair)
        alone = Labelled(CLASSES.X[rows], CLASSES.y[rows], CLASSES.X, CLASSES.y, "one pair")
        machine = tasks._model("scikit-learn", "SVC", {"gamma": 0.1}).fit(alone.X, alone.y)
        assert dual_objectives(machine, alone) == pytest.approx(together[number])


@pytest.mark.parametrize("classes", [2, 3])
def test_a_linear_machine_is_the_lowest_of_its_objective(classes):
    rows = CLASSES.y < classes
    data = Labelled(CLASSES.X[rows], CLASSES.y[rows], CLASSES.X, CLASSES.y, "some classes")
    model = tasks._model("scikit-learn", "LinearSVC", {"tol": 1e-10}).fit(data.X, data.y)
    lowest = squared_hinge_objectives(model, data)
    assert len(lowest) == (1 if classes == 2 else 3)
    for change in (1e-3, -1e-3):
        model.coef_ = model.coef_ + change
        assert np.all(squared_hinge_objectives(model, data) > lowest)
        model.coef_ = model.coef_ - change
