"""Checks catch trees that differ, and contenders fit and predict the same."""

import numpy as np
import pytest

from benchmarks.datasets import classes, numbers
from benchmarks.tree import tasks
from benchmarks.tree.answers import equal_nodes, same_probabilities, same_trees

CLASSIFIERS = [
    "tree:DecisionTreeClassifier",
    "ensemble:RandomForestClassifier",
    "ensemble:ExtraTreesClassifier",
]
REGRESSORS = ["tree:DecisionTreeRegressor", "ensemble:RandomForestRegressor"]
BOOSTING = "ensemble:GradientBoostingClassifier"
SMALL_ENSEMBLE = {"n_estimators": 4}


@pytest.fixture(scope="module")
def two_classes():
    return classes(rows=800, features=8, held_out=200, dtype="float32")


@pytest.fixture(scope="module")
def targets():
    return numbers(rows=800, features=8, held_out=200, dtype="float32")


def answer_of(contender, data, estimator, **parameters):
    more = SMALL_ENSEMBLE if estimator.startswith("ensemble") else {}
    job = tasks.fit(contender, data, estimator, random_state=0, **more, **parameters)
    return job.answer(job.call())


@pytest.fixture
def reference(two_classes):
    return answer_of("scikit-learn", two_classes, "ensemble:RandomForestClassifier")


@pytest.mark.parametrize("estimator", CLASSIFIERS)
def test_classification_trees_are_equal_to_the_bit(two_classes, estimator, no_fallback):
    stock = answer_of("scikit-learn", two_classes, estimator)
    verdict = same_trees(answer_of("fastml", two_classes, estimator), stock, nodes=1.0)
    assert verdict.right, verdict.figures
    assert not same_trees(answer_of("fastml", two_classes, estimator, max_depth=3), stock, nodes=1.0).right


@pytest.mark.parametrize("estimator", [*REGRESSORS, BOOSTING])
def test_regression_trees_are_nearly_equal(targets, two_classes, estimator, no_fallback):
    data = two_classes if estimator == BOOSTING else targets
    stock = answer_of("scikit-learn", data, estimator)
    verdict = same_trees(answer_of("fastml", data, estimator), stock, nodes=0.8)
    assert verdict.right, verdict.figures
    assert not same_trees(answer_of("fastml", data, estimator, max_depth=2), stock, nodes=0.8).right


def test_one_bit_makes_a_tree_another(reference):
    spoilt = dict(reference, digests=["0" * 64, *reference["digests"][1:]])
    verdict = same_trees(spoilt, reference, nodes=1.0)
    assert not verdict.right
    assert verdict.figures["trees equal to the bit"] == "3/4"


def test_the_digest_covers_values_and_impurities(two_classes):
    fitted = tasks.fit("scikit-learn", two_classes, "tree:DecisionTreeClassifier", max_depth=3).call()
    before = tasks.digest(fitted.tree_)
    fitted.tree_.value[0, 0, 0] += 1e-16 + np.spacing(fitted.tree_.value[0, 0, 0])
    after_value = tasks.digest(fitted.tree_)
    fitted.tree_.impurity[0] = np.nextafter(fitted.tree_.impurity[0], 0)
    assert len({before, after_value, tasks.digest(fitted.tree_)}) == 3


def test_fewer_trees_are_wrong(reference):
    fewer = {**reference, "digests": reference["digests"][:-1], "trees": reference["trees"][:-1]}
    assert not same_trees(fewer, reference, nodes=1.0).right
    assert not same_trees(fewer, reference, nodes=0.5).right


def test_all_below_a_different_node_is_unequal():
    tree = np.array(
        [(1, 4, 0, 0.5), (2, 3, 1, 0.5), (-1, -1, -2, -2), (-1, -1, -2, -2), (-1, -1, -2, -2)], dtype=tasks.NODE
    )
    other = tree.copy()
    other["threshold"][1] = 0.25  # the left child of the root: three of five nodes with what is below
    assert equal_nodes([tree], [tree]) == 1.0
    assert equal_nodes([tree], [other]) == pytest.approx(2 / 5)
    assert equal_nodes([tree], [tree[:3].copy()[[2]]]) == 0.0
    assert equal_nodes([tree], [tree, tree]) == 0.0


def test_the_order_of_nodes_does_not_matter_but_their_place_does():
    tree = np.array([(1, 2, 0, 0.5), (-1, -1, -2, -2), (3, 4, 1, 0.5), *[(-1, -1, -2, -2)] * 2], dtype=tasks.NODE)
    renumbered = np.array([(4, 1, 0, 0.5), (2, 3, 1, 0.5), *[(-1, -1, -2, -2)] * 3], dtype=tasks.NODE)
    mirrored = np.array([(2, 1, 0, 0.5), *tree[1:].tolist()], dtype=tasks.NODE)
    assert equal_nodes([tree], [renumbered]) == 1.0
    assert equal_nodes([tree], [mirrored]) == pytest.approx(1 / 5)


def test_trees_of_its_own_must_predict_about_as_well(reference):
    own = dict(reference, own_trees=True, digests=["0" * 64] * 4)
    assert same_trees(own, reference, nodes=1.0).right
    assert not same_trees(own | {"score": reference["score"] - 0.1}, reference, nodes=1.0).right


@pytest.mark.parametrize("rows", [1, 200])
def test_predictions_are_equal_and_a_wrong_one_is_caught(two_classes, rows, no_fallback):
    answers = {}
    for contender in ("scikit-learn", "fastml"):
        job = tasks.predict(
            contender, two_classes, rows, "ensemble:RandomForestClassifier", random_state=0, **SMALL_ENSEMBLE
        )
        answers[contender] = job.answer(job.call())
    ours, stock = answers["fastml"], answers["scikit-learn"]
    assert len(ours["probabilities"]) == rows
    assert same_probabilities(ours, stock).right
    spoilt = np.nextafter(ours["probabilities"], 2)
    assert not same_probabilities(ours | {"probabilities": spoilt}, stock).right
    assert not same_probabilities(ours | {"consistent": False}, stock).right
    assert not same_probabilities(ours | {"own_trees": True, "score": stock["score"] - 0.1}, stock).right


def test_trees_without_a_reference_have_no_verdict(reference):
    assert same_trees(reference, None, nodes=1.0) is None
    assert same_probabilities({}, None) is None
