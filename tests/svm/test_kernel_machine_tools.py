"""Kernel machines inside of scikit-learn's tools: copies, pickles, searches, stock equivalents, patching, threads."""

import copy
import pickle
import pickletools
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import sklearn.svm
from joblib import Parallel, delayed
from numpy.testing import assert_allclose, assert_array_equal
from parity.svm_cases import CLASSIFIERS, MACHINES, decisions, laplacian
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import fastml
import fastml.svm

X, Y = load_iris(return_X_y=True)
RNG = np.random.RandomState(0)
LARGE_Y = RNG.permutation(np.arange(1200) % 4)
LARGE_X = RNG.standard_normal((1200, 10)) + RNG.standard_normal((4, 10))[LARGE_Y]
STORAGES = {"dense": X, "csr": sp.csr_array(X), "precomputed": X @ X.T, "callable": X}
KERNEL_OF = {"precomputed": "precomputed", "callable": laplacian}


def fitted(machine, storage="dense", module=fastml.svm):
    return getattr(module, machine)(kernel=KERNEL_OF.get(storage, "rbf")).fit(STORAGES[storage], Y)


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("machine", MACHINES)
def test_copies(machine, storage):
    samples, model = STORAGES[storage], fitted(machine, storage)
    expected, names = decisions(model, samples), vars(model).keys()
    for twin in (copy.copy(model), copy.deepcopy(model), pickle.loads(pickle.dumps(model)), fastml.to_sklearn(model)):
        assert vars(twin).keys() == names
        assert_allclose(decisions(twin, samples), expected, rtol=1e-9, atol=1e-9)
        assert_allclose(twin.predict(samples), model.predict(samples), rtol=1e-9, atol=1e-9)
    unfitted = clone(model)
    assert unfitted.get_params() == model.get_params()
    assert not hasattr(unfitted, "support_")


@pytest.mark.parametrize("machine", MACHINES)
def test_to_sklearn(machine):
    model = fitted(machine)
    other = fastml.to_sklearn(model)
    assert type(other) is getattr(sklearn.svm, machine)
    names = {str(argument) for _, argument, _ in pickletools.genops(pickle.dumps(other))}
    assert not [name for name in names if "fastml" in name]
    assert type(fastml.to_sklearn(getattr(fastml.svm, machine)())) is getattr(sklearn.svm, machine)
    # And back: the attributes of a stock machine are all that ours predicts from.
    ours = getattr(fastml.svm, machine)()
    vars(ours).update(vars(fitted(machine, module=sklearn.svm)))
    assert_allclose(decisions(ours, X), decisions(other, X), rtol=1e-6, atol=1e-9)


def test_changed_attributes_are_what_predicts():
    model = fitted("SVC")
    before = model.predict(X)
    model._intercept_[:] = [-100, -100, -100]
    assert_array_equal(model.predict(X), fastml.to_sklearn(model).predict(X))
    assert not np.array_equal(model.predict(X), before)
    model.set_params(gamma=7.0)  # the fit's own value counts
    assert_allclose(decisions(model, X), decisions(fastml.to_sklearn(model), X), atol=1e-9)


def test_grid_search_over_pipelines():
    results = []
    for module in (fastml.svm, sklearn.svm):
        pipeline = make_pipeline(StandardScaler(), module.SVC())
        grid = {"svc__C": [0.1, 1, 10], "svc__kernel": ["rbf", "linear"], "svc__gamma": ["scale", 0.2]}
        results.append(GridSearchCV(pipeline, grid, cv=3, error_score="raise").fit(X, Y))
    ours, stock = results
    assert_array_equal(ours.cv_results_["mean_test_score"], stock.cv_results_["mean_test_score"])
    assert ours.best_params_ == stock.best_params_
    assert type(ours.best_estimator_[-1]) is fastml.svm.SVC
    assert_array_equal(ours.predict(X), stock.predict(X))


def test_given_kernels_are_cut_by_folds():
    scores = [cross_val_score(module.SVC(kernel="precomputed"), X @ X.T, Y) for module in (fastml.svm, sklearn.svm)]
    assert_array_equal(*scores)


def test_around_other_estimators():
    ours, stock = (OneVsRestClassifier(module.SVC()).fit(X, Y) for module in (fastml.svm, sklearn.svm))
    assert_allclose(ours.decision_function(X), stock.decision_function(X), atol=1e-9)
    calibrated = [
        CalibratedClassifierCV(module.SVC(), ensemble=False).fit(X, Y).predict_proba(X)
        for module in (fastml.svm, sklearn.svm)
    ]
    assert_allclose(*calibrated, atol=1e-6)


@pytest.mark.parametrize("machine", MACHINES)
def test_frames(machine):
    frame = pd.DataFrame(X, columns=list("abcd"))
    model = getattr(fastml.svm, machine)().fit(frame, pd.Series(Y))
    assert_array_equal(model.feature_names_in_, list("abcd"))
    assert_array_equal(model.predict(frame), fitted(machine).predict(X))
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame[["b", "a", "c", "d"]])
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        model.predict(X)
    with_frames = make_pipeline(StandardScaler().set_output(transform="pandas"), clone(model)).fit(frame, Y)
    assert_array_equal(with_frames[-1].feature_names_in_, list("abcd"))


def test_a_machine_is_fitted_anew():
    model = fitted("SVC", "csr")
    model.fit(X, Y)
    assert isinstance(model.support_vectors_, np.ndarray)
    assert_array_equal(model.predict(X), fitted("SVC").predict(X))
    model.set_params(kernel="precomputed").fit(X @ X.T, Y)
    assert model.support_vectors_.shape == (0, 0)
    model.set_params(kernel="linear").fit(X[:100, :2], Y[:100])
    assert model.coef_.shape == (1, 2)


def test_patching():
    stock = {machine: getattr(sklearn.svm, machine) for machine in MACHINES}
    fastml.patch_sklearn()
    try:
        for machine in MACHINES:
            assert getattr(sklearn.svm, machine) is getattr(fastml.svm, machine)
            assert isinstance(getattr(sklearn.svm, machine)().fit(X, Y), stock[machine])
        # Stock machines are still there, and can be pickled.
        model = stock["SVC"]().fit(X, Y)
        assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))
    finally:
        fastml.unpatch_sklearn()
    assert all(getattr(sklearn.svm, machine) is stock[machine] for machine in MACHINES)


@pytest.mark.parametrize("storage", ["dense", "csr"])
@pytest.mark.parametrize("machine", MACHINES)
def test_the_number_of_threads_changes_no_bit(machine, storage):
    samples = sp.csr_array(np.where(np.abs(LARGE_X) < 1, 0, LARGE_X)) if storage == "csr" else LARGE_X
    parameters = {"probability": True, "random_state": 0} if machine == "SVC" else {}
    models, values = [], []
    for n_threads in (1, 2):
        with fastml.config_context(n_threads=n_threads):
            model = quiet_fit(getattr(fastml.svm, machine)(**parameters), samples, LARGE_Y)
            values.append(decisions(model, samples))
            if parameters:
                values[-1] = np.hstack([values[-1], model.predict_proba(samples)])
            models.append(model)
    for name in ("support_", "intercept_", "_probA", "_probB"):
        assert_array_equal(getattr(models[0], name), getattr(models[1], name))
    assert_array_equal(models[0]._dual_coef_.data, models[1]._dual_coef_.data)
    assert_array_equal(models[0].n_iter_, models[1].n_iter_)
    assert_array_equal(*values)


def quiet_fit(model, samples, y):
    """Fit; that probabilities are deprecated is no news."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The `probability` parameter", FutureWarning)
        return model.fit(samples, y)


@pytest.mark.parametrize("machine", MACHINES)
def test_several_threads_at_once(machine):
    alone = fitted(machine)
    expected = alone.predict(X)
    with ThreadPoolExecutor(4) as pool:
        for model in pool.map(lambda _: fitted(machine), range(8)):
            assert_array_equal(model.dual_coef_, alone.dual_coef_)
        for predicted in pool.map(lambda _: alone.predict(X), range(16)):
            assert_array_equal(predicted, expected)


def test_fits_in_joblib_workers():
    expected = fitted("SVC")
    for model in Parallel(n_jobs=2)(delayed(fitted)("SVC") for _ in range(2)):
        assert_array_equal(model.dual_coef_, expected.dual_coef_)


@pytest.mark.parametrize("machine", CLASSIFIERS)
def test_seeds_of_probabilities(machine):
    """The folds are drawn from random_state, as scikit-learn draws them."""
    probabilities = [
        quiet_fit(getattr(fastml.svm, machine)(probability=True, random_state=seed), X, Y).predict_proba(X)
        for seed in (0, 0, 1)
    ]
    assert_array_equal(probabilities[0], probabilities[1])
    assert not np.array_equal(probabilities[0], probabilities[2])


@pytest.mark.parametrize("rows", [1, 2, 33, 150])
@pytest.mark.parametrize("machine", MACHINES)
def test_a_row_s_value_does_not_depend_on_the_others(machine, rows):
    model = fitted(machine)
    whole = decisions(model, X)
    for first in (0, 150 - rows):
        assert_allclose(decisions(model, X[first : first + rows]), whole[first : first + rows], rtol=1e-12, atol=1e-12)
