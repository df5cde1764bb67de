"""What kernel machines refuse, and in which words: scikit-learn's."""

import re
import warnings

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.svm
from parity.svm_cases import CLASSIFIERS, MACHINES
from sklearn.exceptions import ConvergenceWarning

import fastml.svm
from fastml import _core

RNG = np.random.RandomState(0)
X = RNG.standard_normal((40, 3))
Y = np.arange(40) % 2
NAN, INF = X.copy(), X.copy()
NAN[3, 1], INF[3, 1] = np.nan, np.inf
ONE_LEFT = np.where(Y == 0, 1.0, 0.0)
HALF_AND_ALL = np.r_[np.ones(20), np.full(20, 1e300)]


MODULES = fastml.svm, sklearn.svm


def outcome(call, *args):
    """Return the type and text of an error, or None, and the warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        error = None
        try:
            call(*args)
        except Exception as raised:
            # On CSR input scikit-learn shows LIBSVM's text as the bytes that it is.
            error = type(raised), re.sub(r"^b'(.*)'$", r"\1", str(raised))
    return error, [(w.category, str(w.message)) for w in caught]


def assert_same_outcome(call, ours, stock):
    """Assert that a call fails for fastml's as it does for scikit-learn's, in the same words; return both outcomes."""
    seen, expected = outcome(call, ours), outcome(call, stock)
    assert expected[0] is not None or expected[1], "scikit-learn takes it"
    assert seen == expected
    return seen


WRONG_FITS = {
    "C=0": ("SVC", {"C": 0}, X, Y, None),
    "C<0": ("SVR", {"C": -1.0}, X, Y, None),
    "nu=0": ("NuSVC", {"nu": 0.0}, X, Y, None),
    "nu>1": ("OneClassSVM", {"nu": 1.5}, X, Y, None),
    "epsilon<0": ("SVR", {"epsilon": -0.1}, X, Y, None),
    "gamma<0": ("SVC", {"gamma": -1.0}, X, Y, None),
    "gamma by name": ("SVC", {"gamma": "big"}, X, Y, None),
    "degree<0": ("SVC", {"degree": -1}, X, Y, None),
    "degree=1.5": ("SVC", {"degree": 1.5}, X, Y, None),
    "tol=0": ("SVC", {"tol": 0.0}, X, Y, None),
    "cache_size=0": ("NuSVR", {"cache_size": 0}, X, Y, None),
    "kernel by name": ("SVC", {"kernel": "gauss"}, X, Y, None),
    "coef0=inf": ("SVC", {"coef0": np.inf}, X, Y, None),
    "max_iter=-2": ("SVC", {"max_iter": -2}, X, Y, None),
    "shrinking=2": ("SVC", {"shrinking": 2}, X, Y, None),
    "class_weight by name": ("SVC", {"class_weight": "even"}, X, Y, None),
    "class_weight of a stranger": ("SVC", {"class_weight": {7: 1.0}}, X, Y, None),
    "shape of decisions": ("SVC", {"decision_function_shape": "one"}, X, Y, None),
    "nu infeasible": ("NuSVC", {"nu": 0.9}, X, (np.arange(40) < 4).astype(int), None),
    "nu infeasible, CSR": ("NuSVC", {"nu": 0.9}, sp.csr_array(X), (np.arange(40) < 4).astype(int), None),
    "nu infeasible by weights": ("NuSVC", {"nu": 0.5}, X, Y, np.where(Y == 0, 1.0, 0.1)),
    "nu infeasible for two of three": ("NuSVC", {"nu": 0.4}, X, np.r_[np.zeros(18), np.ones(18), [2] * 4], None),
    "one class": ("SVC", {}, X, np.zeros(40), None),
    "one class, nu": ("NuSVC", {}, X, ["a"] * 40, None),
    "continuous classes": ("SVC", {}, X, X[:, 0], None),
    "no weight for a class": ("SVC", {}, X, Y, ONE_LEFT),
    "no weight for a class, CSR": ("SVC", {}, sp.csr_array(X), Y, ONE_LEFT),
    "no weight for a class, nu": ("NuSVC", {}, X, Y, ONE_LEFT),
    "negative weights of a class": ("SVC", {}, X, Y, np.where(Y == 0, 1.0, -1.0)),
    "no weight": ("SVR", {}, X, Y, np.zeros(40)),
    "no weight, classes": ("SVC", {}, X, Y, np.zeros(40)),
    "negative weights": ("OneClassSVM", {}, X, Y, -np.ones(40)),
    "weights of another length": ("SVC", {}, X, Y, np.ones(39)),
    "scalar weight": ("SVC", {}, X, Y, 2.0),
    "NaN": ("SVC", {}, NAN, Y, None),
    "inf": ("SVR", {}, INF, Y, None),
    "NaN in CSR": ("SVC", {}, sp.csr_array(NAN), Y, None),
    "NaN in y": ("SVR", {}, X, NAN[:, 1], None),
    "inf in y": ("NuSVR", {}, X, INF[:, 1].repeat(1), None),
    "values beyond the kernel": ("SVC", {"kernel": "poly", "degree": 9}, 1e200 * X, Y, None),
    "fewer targets": ("SVC", {}, X, Y[:-1], None),
    "two targets": ("SVR", {}, X, np.c_[Y, Y], None),
    "a column of targets": ("SVR", {}, X, Y[:, None], None),
    "no samples": ("SVC", {}, X[:0], Y[:0], None),
    "no features": ("SVC", {}, X[:, :0], Y, None),
    "one sample": ("SVC", {}, X[0], Y[:1], None),
    "text": ("SVC", {}, np.array([["a", "b"]] * 40), Y, None),
    "complex": ("SVC", {}, X * 1j, Y, None),
    "no square": ("SVC", {"kernel": "precomputed"}, X, Y, None),
    "sparse kernel": ("SVC", {"kernel": "precomputed"}, sp.csr_array(X @ X.T), Y, None),
    "no targets": ("SVC", {}, X, None, None),
    "64-bit indices": (
        "SVC",
        {},
        sp.csr_array((np.ones(40), np.zeros(40, np.int64), np.arange(41, dtype=np.int64)), shape=(40, 3)),
        Y,
        None,
    ),
}


@pytest.mark.parametrize("name", WRONG_FITS)
def test_fits(name):
    machine, parameters, samples, y, weights = WRONG_FITS[name]
    models = (getattr(module, machine)(**parameters) for module in MODULES)
    assert_same_outcome(lambda model: model.fit(samples, y, sample_weight=weights), *models)


@pytest.mark.parametrize("machine", MACHINES)
def test_a_fit_that_fails_leaves_the_machine_as_it_was(machine):
    model = getattr(fastml.svm, machine)().fit(X, Y)
    before, expected = vars(model).copy(), model.predict(X)
    with pytest.raises(ValueError, match="Input X contains NaN"):
        model.fit(NAN, Y)
    assert vars(model) == before
    if machine in CLASSIFIERS:
        with pytest.raises(ValueError, match="number of classes has to be greater than one"):
            model.fit(X, np.zeros(40))
    with pytest.raises(ValueError, match="zero or negative weights"):
        model.fit(X, Y, sample_weight=np.zeros(40))
    assert vars(model) == before
    np.testing.assert_array_equal(model.predict(X), expected)


WRONG_QUERIES = {
    "NaN": NAN,
    "fewer features": X[:, :2],
    "one row": X[0],
    "none": X[:0],
    "sparse": sp.csr_array(X),
    "text": [["a", "b", "c"]],
    "three dimensions": X[None],
}


@pytest.mark.parametrize("method", ["predict", "decision_function", "score_samples"])
@pytest.mark.parametrize("name", WRONG_QUERIES)
@pytest.mark.parametrize("machine", MACHINES)
def test_queries(machine, name, method):
    models = [getattr(module, machine)().fit(X, Y) for module in MODULES]
    assert hasattr(models[0], method) == hasattr(models[1], method)
    assert_same_outcome(lambda model: getattr(model, method)(WRONG_QUERIES[name]), *models)


@pytest.mark.parametrize("ask", [lambda m: m.predict(X), lambda m: m.n_support_, lambda m: m.coef_], ids=range(3))
@pytest.mark.parametrize("machine", MACHINES)
def test_before_a_fit(machine, ask):
    assert_same_outcome(ask, *(getattr(module, machine)() for module in MODULES))


@pytest.mark.parametrize("wrong", [(X @ X.T)[:, :-1], (X @ X.T)[:5, :5]], ids=["a column less", "a corner"])
def test_given_kernels_of_another_size(wrong):
    models = [module.SVC(kernel="precomputed").fit(X @ X.T, Y) for module in MODULES]
    assert_same_outcome(lambda model: model.predict(wrong), *models)


def test_ties_are_not_broken_between_pairs():
    models = [module.SVC(break_ties=True, decision_function_shape="ovo").fit(X, Y) for module in MODULES]
    error, _ = assert_same_outcome(lambda model: model.predict(X), *models)
    assert error == (ValueError, "break_ties must be False when decision_function_shape is 'ovo'")


@pytest.mark.parametrize("method", ["predict_proba", "predict_log_proba"])
@pytest.mark.parametrize("machine", CLASSIFIERS)
def test_probabilities_that_were_not_asked_for(machine, method):
    models = [getattr(module, machine)().fit(X, Y) for module in MODULES]
    assert not hasattr(models[0], method)
    assert_same_outcome(lambda model: getattr(model, method)(X), *models)
    for model in models:
        model.probability = True  # but none were learned
    assert_same_outcome(lambda model: getattr(model, method)(X), *models)


@pytest.mark.parametrize("machine", MACHINES)
def test_vectors_that_were_tampered_with(machine):
    """A machine whose parts do not fit together must not read beyond them."""
    models = [getattr(module, machine)().fit(X, Y) for module in MODULES]
    for model in models:
        model._n_support = model._n_support + 1_000_000
    assert_same_outcome(lambda model: model.predict(X), *models)


def test_a_limit_of_steps_warns():
    for machine in MACHINES:
        model = getattr(fastml.svm, machine)(max_iter=2)
        with pytest.warns(ConvergenceWarning, match=r"Solver terminated early \(max_iter=2\)"):
            model.fit(X, Y)
        assert model.fit_status_ == 1


def test_probabilities_are_said_to_be_deprecated():
    _, said = assert_same_outcome(lambda model: model.fit(X, Y), *(module.SVC(probability=True) for module in MODULES))
    assert said[0][0] is FutureWarning


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_limit_of_steps_that_only_folds_reach_is_told():
    X, y = RNG.standard_normal((100, 3)), RNG.randint(0, 2, 100)
    seen = set()
    for max_iter in range(20, 90, 3):
        ours, stock = (
            module.SVC(probability=True, random_state=0, max_iter=max_iter).fit(X, y).fit_status_ for module in MODULES
        )
        assert ours == stock, max_iter
        seen.add(stock)
    assert seen == {0, 1}


def test_a_class_without_weight_has_no_decision():
    y = np.arange(40) % 3
    weights = np.where(y == 1, 0.0, 1.0)
    ours, stock = (module.SVC(decision_function_shape="ovo").fit(X, y, weights) for module in MODULES)
    np.testing.assert_allclose(ours.decision_function(X), stock.decision_function(X).ravel()[:, None], atol=1e-9)
    with pytest.raises(ValueError, match="2 of 3 classes have samples of positive weight"):
        ours.set_params(decision_function_shape="ovr").decision_function(X)


def test_arguments_that_would_lead_beyond_arrays():
    given = {
        "machine": "c_svc", "kernel": "rbf", "degree": 3, "gamma": 1.0, "coef0": 0.0, "c": 1.0, "nu": 0.5,
        "epsilon": 0.1, "tolerance": 1e-3, "shrinking": True, "max_iter": -1, "cache_megabytes": 1.0,
        "probability": False, "seed": 0, "n_threads": 1,
    }  # fmt: skip
    y, ones = Y.astype(float), np.ones(40)
    csr = sp.csr_array(X)
    rows = csr.data, csr.indices.astype(np.int32), csr.indptr.astype(np.int32)
    for x, targets, class_weights, wrong, message in (
        (X, y, np.ones(2), {"n_threads": 0}, "n_threads"),
        (X, y, np.ones(2), {"cache_megabytes": np.nan}, "cache_megabytes"),
        (X, y, np.ones(2), {"kernel": "precomputed"}, "square"),
        (X, y, np.ones(1), {}, "class_weights"),
        (X, y + 1, np.ones(2), {}, "classes from 0"),
        (X, y[1:], np.ones(2), {}, "targets"),
        ((*rows, -4), y, np.ones(2), {}, "features"),
        ((*rows, 2), y, np.ones(2), {}, "out of range"),
        ((*rows, 3), y, np.ones(2), {"kernel": "precomputed"}, "precomputed"),
    ):
        with pytest.raises(ValueError, match=message):
            _core.svm_train(x, targets, ones, class_weights, **{**given, **wrong})
