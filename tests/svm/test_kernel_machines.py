"""SVC, NuSVC, SVR, NuSVR and OneClassSVM as users meet them: inputs, attributes, weights, classes and their names."""

import contextlib

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import sklearn.svm
from numpy.testing import assert_allclose, assert_array_equal
from parity.svm_cases import CLASSIFIERS, KERNELS, MACHINES, assert_same_form, decisions, dual_objectives, laplacian
from sklearn.base import is_classifier, is_outlier_detector, is_regressor
from sklearn.utils import get_tags

import fastml.svm

RNG = np.random.RandomState(0)
Y = RNG.permutation(np.arange(90) % 3)
X = RNG.standard_normal((90, 4)) + RNG.standard_normal((3, 4))[Y]
Q = RNG.standard_normal((25, 4))
CLOSE = 1e-9  # the same steps, with sums in another order


def make(machine, module=fastml.svm, **parameters):
    return getattr(module, machine)(**parameters)


def both(machine, X=X, y=Y, sample_weight=None, **parameters):
    """Return fastml's and scikit-learn's machine, fitted alike."""
    return tuple(
        make(machine, module, **parameters).fit(X, y, sample_weight=sample_weight)
        for module in (fastml.svm, sklearn.svm)
    )


def dense(array):
    return array.toarray() if sp.issparse(array) else array


def assert_equal_machines(ours, stock, rtol=1e-6):
    assert_same_form(ours, stock)
    assert_array_equal(ours.n_iter_, stock.n_iter_)
    assert_array_equal(ours.support_, stock.support_)
    assert_array_equal(ours.n_support_, stock.n_support_)
    for name in ("dual_coef_", "intercept_", "support_vectors_"):
        assert_allclose(dense(getattr(ours, name)), dense(getattr(stock, name)), rtol=rtol, atol=CLOSE)


@pytest.mark.parametrize("machine", MACHINES)
def test_it_is_scikit_learns_estimator(machine):
    ours, stock = make(machine), make(machine, sklearn.svm)
    assert isinstance(ours, type(stock))
    assert (is_classifier(ours), is_regressor(ours), is_outlier_detector(ours)) == (
        is_classifier(stock),
        is_regressor(stock),
        is_outlier_detector(stock),
    )
    assert ours.get_params() == stock.get_params()
    assert repr(ours) == repr(stock)
    assert get_tags(ours) == get_tags(stock)
    assert type(ours).__doc__ == type(stock).__doc__
    for name in ("fit", "predict", "decision_function", "score_samples", "predict_proba"):
        if hasattr(type(stock), name):
            assert getattr(type(ours), name).__doc__ == getattr(type(stock), name).__doc__


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("machine", MACHINES)
def test_attributes(machine, kernel):
    parameters = {"gamma": 0.01} if kernel == "sigmoid" else {}
    ours, stock = both(machine, kernel=kernel, **parameters)
    # NuSVC divides by a number that the sigmoid brings near zero.
    assert_equal_machines(ours, stock, rtol=1e-2 if (machine, kernel) == ("NuSVC", "sigmoid") else 1e-6)
    assert ours.support_.dtype == np.int32
    assert ours.n_support_.dtype == np.int32
    if kernel == "linear":
        assert_allclose(ours.coef_, stock.coef_, rtol=1e-6, atol=CLOSE)
        assert not ours.coef_.flags.writeable
        with pytest.raises(ValueError, match="read-only"):
            ours.coef_[0, 0] = 1
    else:
        with pytest.raises(AttributeError, match="coef_ is only available when using a linear kernel"):
            _ = ours.coef_
    assert_array_equal(ours.support_vectors_, X[ours.support_])
    if machine == "OneClassSVM":
        assert ours.offset_ == pytest.approx(stock.offset_)
        assert_allclose(ours.score_samples(Q), stock.score_samples(Q))


@pytest.mark.parametrize("machine", MACHINES)
def test_sparse_attributes(machine):
    samples = sp.csr_array(np.where(np.abs(X) < 0.5, 0, X))
    ours, stock = both(machine, X=samples, kernel="linear")
    assert_equal_machines(ours, stock)
    assert sp.issparse(ours.support_vectors_)
    assert ours.support_vectors_.format == stock.support_vectors_.format == "csr"
    assert (ours.support_vectors_ != samples[ours.support_]).nnz == 0
    assert ours.dual_coef_.format == stock.dual_coef_.format
    assert sp.issparse(ours.coef_) == sp.issparse(stock.coef_)
    assert_allclose(dense(ours.coef_), dense(stock.coef_), rtol=1e-6, atol=CLOSE)


FORMATS = {
    "list": lambda X: X.tolist(),
    "Fortran": np.asfortranarray,
    "spaced": lambda X: np.repeat(X, 2, axis=1)[:, ::2],
    "big-endian": lambda X: X.astype(">f8"),
    "object": lambda X: X.astype(object),
    "frame": lambda X: pd.DataFrame(X, columns=list("abcd")),
    "read-only": lambda X: np.frombuffer(X.tobytes()).reshape(X.shape),
    "unaligned": lambda X: np.frombuffer(b"x" + X.tobytes(), dtype=np.uint8)[1:].view(X.dtype).reshape(X.shape),
}


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("machine", ["SVC", "SVR"])
def test_odd_arrays_are_like_plain_ones(machine, form):
    expected = make(machine).fit(X, Y)
    model = make(machine).fit(FORMATS[form](X), FORMATS[form](Y[:, None])[:, 0] if form == "spaced" else Y)
    assert_array_equal(model.dual_coef_, expected.dual_coef_)
    assert_array_equal(model.support_, expected.support_)
    assert_array_equal(model.predict(FORMATS[form](Q)), expected.predict(Q))


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.int8])
@pytest.mark.parametrize("machine", MACHINES)
def test_other_types_are_computed_in_double(machine, dtype):
    samples = (3 * X).astype(dtype)
    ours, stock = both(machine, X=samples)
    assert_equal_machines(ours, stock)
    assert_array_equal(ours.predict(samples), make(machine).fit(samples.astype(float), Y).predict(samples))


SPARSE_FORMATS = ("csr_array", "csr_matrix", "csc_array", "coo_matrix", "lil_array")


@pytest.mark.parametrize("form", SPARSE_FORMATS)
@pytest.mark.parametrize("machine", ["SVC", "NuSVR", "OneClassSVM"])
def test_sparse_formats(machine, form):
    samples = np.where(np.abs(X) < 0.5, 0, X)
    ours, stock = both(machine, X=getattr(sp, form)(samples))
    assert_equal_machines(ours, stock)
    # A machine of sparse samples takes dense ones, too.
    for queries in (getattr(sp, form)(Q), Q):
        assert_allclose(decisions(ours, queries), decisions(stock, queries), atol=CLOSE)


@pytest.mark.parametrize("kernel", ["rbf", "linear", "poly"])
def test_sparse_rows_in_any_order_with_parts_that_add_up(kernel):
    """An entry given in two parts is their sum; LIBSVM, which does not add them up, comes to other answers."""
    data = np.array([1.0, 2.0, -1.0, 0.5, 0.5, 3.0, 0.0, 1.0])
    indices, indptr = np.array([2, 0, 1, 3, 3, 0, 1, 2], np.int32), np.array([0, 2, 3, 5, 5, 8], np.int32)

    def messy():
        return sp.csr_array((data.copy(), indices.copy(), indptr.copy()), shape=(5, 4))

    y = np.array([0, 1, 0, 1, 1])
    samples, given = messy().toarray(), messy()
    model, plain = make("SVC", kernel=kernel).fit(given, y), make("SVC", kernel=kernel).fit(samples, y)
    assert_allclose(dense(model.dual_coef_), plain.dual_coef_, atol=CLOSE)
    for queries in (messy(), samples):
        assert_allclose(model.decision_function(queries), plain.decision_function(samples), atol=CLOSE)
    assert_array_equal(given.toarray(), samples)


def test_input_is_left_alone():
    samples, weights = X.copy(), np.ones(len(X))
    gram = samples @ samples.T
    for given, kernel in ((samples, "rbf"), (gram, "precomputed"), (sp.csr_array(samples), "linear")):
        before, y = dense(given).copy(), Y.astype(float)
        model = make("SVC", kernel=kernel).fit(given, y, sample_weight=weights)
        model.predict(given)
        assert_array_equal(dense(given), before)
        assert_array_equal(y, Y)
        assert not np.shares_memory(dense(model.support_vectors_), dense(given))
    assert_array_equal(weights, 1)


@pytest.mark.parametrize("machine", CLASSIFIERS)
@pytest.mark.parametrize(
    "names", [["b", "a", "c"], [7, -1, 3], [0.0, -3.0, 1.0], [True, False, True]], ids=["text", "int", "float", "bool"]
)
def test_names_of_classes(machine, names):
    y = np.array(names)[Y]
    ours, stock = both(machine, y=y)
    assert_array_equal(ours.classes_, stock.classes_)
    assert ours.classes_.dtype == stock.classes_.dtype
    labels = ours.predict(Q)
    assert_array_equal(labels, stock.predict(Q))
    assert labels.dtype == y.dtype
    assert_array_equal(ours.predict(Q[:1]), labels[:1])
    assert ours.score(X, y) == stock.score(X, y)


@pytest.mark.parametrize("kernel", ["precomputed", laplacian], ids=["precomputed", "callable"])
@pytest.mark.parametrize("machine", MACHINES)
def test_given_kernels(machine, kernel):
    if kernel == "precomputed":
        samples, queries = laplacian(X, X), laplacian(Q, X)
        by_values = make(machine, kernel=laplacian).fit(X, Y)
    else:
        samples, queries = X, Q
        by_values = make(machine, kernel="precomputed").fit(laplacian(X, X), Y)
    ours, stock = both(machine, X=samples, kernel=kernel)
    assert_array_equal(ours.support_, stock.support_)
    assert ours.support_vectors_.shape == stock.support_vectors_.shape == (0, 0)
    assert_allclose(decisions(ours, queries), decisions(stock, queries), atol=CLOSE)
    assert_array_equal(ours.dual_coef_, by_values.dual_coef_)


def test_a_callable_may_take_what_is_no_array():
    texts = ["spam offer", "free offer now", "lunch at noon", "meeting at noon", "free spam", "lunch meeting"]

    def common_words(A, B):
        return np.array([[len({*a.split()} & {*b.split()}) for b in B] for a in A], dtype=float)

    y = [1, 1, 0, 0, 1, 0]
    ours, stock = (make("SVC", module, kernel=common_words).fit(texts, y) for module in (fastml.svm, sklearn.svm))
    assert_array_equal(ours.predict(["an offer", "a lunch"]), stock.predict(["an offer", "a lunch"]))
    assert_array_equal(ours.predict(texts), y)


WEIGHTED = RNG.choice([0.0, 0.5, 1.0, 2.0], size=len(X), p=[0.3, 0.3, 0.2, 0.2])


@pytest.mark.parametrize("storage", ["dense", "csr", "precomputed"])
@pytest.mark.parametrize("machine", MACHINES)
def test_samples_of_no_weight_are_as_if_they_were_not_there(machine, storage):
    """But that `support_` points into X: scikit-learn's points into the samples that are left."""
    kept = np.flatnonzero(WEIGHTED)
    samples, queries, kernel = X, Q, "rbf"
    rest = (X[kept], Q)
    if storage == "csr":
        samples, queries, rest = sp.csr_array(X), sp.csr_array(Q), (sp.csr_array(X[kept]), sp.csr_array(Q))
    elif storage == "precomputed":
        samples, queries, kernel = laplacian(X, X), laplacian(Q, X), "precomputed"
        rest = laplacian(X[kept], X[kept]), laplacian(Q, X[kept])
    parameters = {"kernel": kernel, "gamma": 0.2}
    if machine == "NuSVC":
        parameters["nu"] = 0.3
    ours = make(machine, **parameters).fit(samples, Y, sample_weight=WEIGHTED)
    stock = make(machine, sklearn.svm, **parameters).fit(rest[0], Y[kept], sample_weight=WEIGHTED[kept])
    assert_array_equal(ours.n_iter_, stock.n_iter_)
    assert_array_equal(ours.support_, kept[stock.support_])
    assert_allclose(dense(ours.dual_coef_), dense(stock.dual_coef_), atol=CLOSE)
    assert_allclose(decisions(ours, queries), decisions(stock, rest[1]), atol=CLOSE)
    assert_allclose(ours.predict(queries), stock.predict(rest[1]), atol=CLOSE)


@pytest.mark.parametrize("machine", ["SVC", "SVR", "OneClassSVM"])
def test_weights_of_two_are_samples_given_twice(machine):
    weights = np.random.RandomState(1).choice([1.0, 2.0], size=len(X))
    twice = np.repeat(np.arange(len(X)), weights.astype(int))
    weighted = make(machine, gamma=0.2, tol=1e-8).fit(X, Y, sample_weight=weights)
    repeated = make(machine, gamma=0.2, tol=1e-8).fit(X[twice], Y[twice])
    assert_allclose(decisions(weighted, Q), decisions(repeated, Q), atol=1e-5)


@pytest.mark.parametrize("sample_weight", [None, WEIGHTED + 0.1], ids=["plain", "weighted"])
@pytest.mark.parametrize("class_weight", [None, "balanced", {0: 10.0}, {1: 0.01, 2: 3.0}], ids=str)
@pytest.mark.parametrize("machine", CLASSIFIERS)
def test_weights_of_classes(machine, class_weight, sample_weight):
    rows = np.r_[np.flatnonzero(Y == 0), np.flatnonzero(Y == 1)[:20], np.flatnonzero(Y == 2)[:12]]
    weights = None if sample_weight is None else sample_weight[rows]
    ours, stock = both(
        machine, X[rows], Y[rows], weights, class_weight=class_weight, **({"nu": 0.1} if machine == "NuSVC" else {})
    )
    assert_equal_machines(ours, stock)
    assert_array_equal(ours.class_weight_, stock.class_weight_)


def test_one_class_at_the_ends_of_nu():
    with pytest.raises(ValueError, match="The dual coefficients or intercepts are not finite"):
        make("OneClassSVM", nu=1.0).fit(X)  # all samples are on their bound, and any intercept will do
    # Sums of weights are rounded: the last sample may stay below its bound, and no one beyond it must be written to.
    weights = np.random.RandomState(1).uniform(0.1, 2, size=len(X))
    for count in range(2, len(X)):
        with contextlib.suppress(ValueError):
            model = make("OneClassSVM", nu=1.0).fit(X[:count], sample_weight=weights[:count])
            assert_allclose(model.dual_coef_[0], weights[:count])
    least = make("OneClassSVM", nu=1e-6).fit(X)
    assert least.dual_coef_.sum() == pytest.approx(1e-6 * len(X))
    assert np.all(least.dual_coef_ > 0)


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_fit_meets_the_conditions_of_its_optimum(kernel):
    """Without LIBSVM: free vectors lie on their margin, bounded ones within, all others beyond, up to tol."""
    y = np.where(Y == 0, 1, -1)
    parameters = {"gamma": 0.02} if kernel == "sigmoid" else {}
    model = make("SVC", kernel=kernel, C=2.0, tol=1e-6, **parameters).fit(X, y)
    alphas = np.zeros(len(X))
    alphas[model.support_] = np.abs(model.dual_coef_[0])
    margins = y * model.decision_function(X)
    assert np.all((alphas >= 0) & (alphas <= 2.0))
    assert abs(model.dual_coef_.sum()) < 1e-9
    assert np.all(np.sign(model.dual_coef_[0]) == y[model.support_])
    slack = 1e-5
    assert_allclose(margins[(alphas > 0) & (alphas < 2.0)], 1, atol=slack)
    assert np.all(margins[alphas == 2.0] <= 1 + slack)
    assert np.all(margins[alphas == 0] >= 1 - slack)
    primal = np.maximum(0, 1 - margins).sum() * 2.0
    (dual,) = dual_objectives(model, X, y)
    quadratic = dual + np.abs(model.dual_coef_).sum()
    assert quadratic + primal == pytest.approx(-dual, rel=1e-5)


def test_a_regression_meets_the_conditions_of_its_optimum():
    target = np.sin(X[:, 0]) + 0.2 * np.random.RandomState(1).standard_normal(len(X))
    model = make("SVR", C=3.0, epsilon=0.1, tol=1e-6).fit(X, target)
    c = np.zeros(len(X))
    c[model.support_] = model.dual_coef_[0]
    residues = target - model.predict(X)
    assert abs(c.sum()) < 1e-9
    free = (np.abs(c) > 0) & (np.abs(c) < 3.0)
    assert free.any()
    assert_allclose(residues[free], 0.1 * np.sign(c[free]), atol=1e-5)
    assert np.all(np.abs(residues[c == 0]) <= 0.1 + 1e-5)
    assert np.all((residues * np.sign(c))[np.abs(c) == 3.0] >= 0.1 - 1e-5)


def test_constant_samples_and_targets():
    for machine in ("SVR", "NuSVR"):
        ours, stock = both(machine, y=np.full(len(X), 2.5))
        assert_allclose(ours.predict(Q), stock.predict(Q))
        assert_array_equal(ours.support_, stock.support_)
        assert_equal_machines(ours, stock)
    for machine in ("SVC", "SVR", "NuSVR", "OneClassSVM"):
        ours, stock = both(machine, X=np.ones((90, 2)))  # gamma="scale" is 1 then
        assert_allclose(decisions(ours, np.ones((3, 2))), decisions(stock, np.ones((3, 2))), atol=CLOSE)


@pytest.mark.parametrize("shape", [(2, 1), (3, 200), (7, 1)])
def test_few_samples(shape):
    rng = np.random.RandomState(1)
    samples, y = rng.standard_normal(shape), np.arange(shape[0]) % 2
    for machine in MACHINES:
        ours, stock = both(machine, X=samples, y=y)
        assert_equal_machines(ours, stock)
        assert_allclose(decisions(ours, samples), decisions(stock, samples), atol=CLOSE)
