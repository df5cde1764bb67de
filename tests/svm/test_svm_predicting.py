"""Predictions of kernel machines, against scikit-learn's from the same fitted attributes."""

import copy
import pickle

import numpy as np
import pytest
import scipy.sparse as sp
import sklearn.svm
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import make_blobs, make_classification
from sklearn.exceptions import NotFittedError
from sklearn.metrics.pairwise import laplacian_kernel

from fastml.svm._predicting import Predicting, PredictingClasses, PredictingInliers

pytestmark = pytest.mark.filterwarnings("ignore:The `probability` parameter was deprecated:FutureWarning")


class SVC(PredictingClasses, sklearn.svm.SVC):
    """Fitted by scikit-learn, so that both predict from the same attributes."""


class NuSVC(PredictingClasses, sklearn.svm.NuSVC):
    pass


class SVR(Predicting, sklearn.svm.SVR):
    pass


class NuSVR(Predicting, sklearn.svm.NuSVR):
    pass


class OneClassSVM(PredictingInliers, sklearn.svm.OneClassSVM):
    pass


KERNELS = ["linear", "poly", "rbf", "sigmoid"]
CLASSIFIERS = [SVC, NuSVC]
REGRESSORS = [SVR, NuSVR]


def samples(n, n_classes=3, n_features=7, seed=0):
    X, y = make_classification(
        n,
        n_features,
        n_informative=n_features - 1,
        n_redundant=0,
        n_classes=n_classes,
        n_clusters_per_class=1,
        flip_y=0.1,
        random_state=seed,
    )
    return X, y


def as_stock(model):
    """Return scikit-learn's estimator with the same attributes."""
    stock = next(c for c in type(model).__mro__ if c.__module__ == "sklearn.svm._classes")
    twin = copy.copy(model)
    twin.__class__ = stock
    return twin


def assert_same(found, expected, scale=None, rtol=1e-10):
    """Decisions are sums of values of both signs, so that errors are relative to the largest."""
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    scale = np.abs(expected).max() if scale is None else scale
    assert_allclose(found, expected, rtol=rtol, atol=rtol * scale)


def assert_same_answers(model, X):
    """Compare all that a classifier answers."""
    stock = as_stock(model)
    for shape in ("ovo", "ovr"):
        model.decision_function_shape = stock.decision_function_shape = shape
        assert_same(model.decision_function(X), stock.decision_function(X))
    found, expected = model.predict(X), stock.predict(X)
    assert found.dtype == expected.dtype
    assert_array_equal(found, expected)
    if model.probability is True:
        assert_same(model.predict_proba(X), stock.predict_proba(X))
        assert_same(model.predict_log_proba(X), stock.predict_log_proba(X))


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("Machine", CLASSIFIERS)
@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_classes_are_those_of_scikit_learn(Machine, kernel, n_classes):
    X, y = samples(300, n_classes)
    model = Machine(kernel=kernel, probability=True, random_state=0, coef0=0.3).fit(X[:150], y[:150])
    assert_same_answers(model, X[150:])


def test_twelve_classes_with_names():
    X, y = make_blobs(500, 4, centers=12, cluster_std=3, random_state=0)
    names = np.array([f"class {c}" for c in range(12)])
    model = SVC(probability=True, random_state=0).fit(X[:250], names[y[:250]])
    assert_same_answers(model, X[250:])


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("Machine", REGRESSORS)
def test_values_are_those_of_scikit_learn(Machine, kernel):
    X, _ = samples(300)
    y = X[:, 0] + np.sin(X[:, 1])
    model = Machine(kernel=kernel, coef0=0.3).fit(X[:150], y[:150])
    assert_same(model.predict(X[150:]), as_stock(model).predict(X[150:]))


@pytest.mark.parametrize("kernel", KERNELS)
def test_inliers_are_those_of_scikit_learn(kernel):
    X, _ = samples(300)
    model = OneClassSVM(kernel=kernel, nu=0.3).fit(X[:150])
    stock = as_stock(model)
    found, expected = model.predict(X), stock.predict(X)
    assert found.dtype == expected.dtype
    # Samples on the border may be found on either side.
    decided = np.abs(stock.decision_function(X)) > 1e-10
    assert decided.sum() > 200
    assert_array_equal(found[decided], expected[decided])
    assert set(found) == {-1, 1}
    assert_same(model.decision_function(X), stock.decision_function(X), np.abs(stock.offset_).max())
    assert_same(model.score_samples(X), stock.score_samples(X))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, bool])
def test_samples_of_other_types(dtype):
    X, y = samples(120)
    X = (3 * X).astype(dtype)
    model = SVC().fit(X, y)
    assert_same_answers(model, X)


def test_samples_of_other_layouts():
    X, y = samples(120)
    model = SVC().fit(X, y)
    expected = as_stock(model).decision_function(X)
    read_only = X.copy()
    read_only.flags.writeable = False
    apart = np.zeros((240, 14))
    apart[::2, ::2] = X
    unaligned = np.frombuffer(b"\0" + X.tobytes(), dtype=np.uint8)[1:].view(np.float64).reshape(X.shape)
    swapped = X.astype(X.dtype.newbyteorder())
    for given in (read_only, np.asfortranarray(X), apart[::2, ::2], unaligned, swapped, X.tolist()):
        assert_same(model.decision_function(given), expected)
        assert_array_equal(model.predict(given), as_stock(model).predict(X))


@pytest.mark.parametrize("n", [1, 2, 3, 13, 14, 15, 16, 29, 85])
@pytest.mark.parametrize("kernel", ["linear", "rbf"])
def test_few_samples(n, kernel):
    X, y = samples(200, n_classes=4)
    model = SVC(kernel=kernel).fit(X, y)
    # Rows alone get what they get among others.
    assert_same(model.decision_function(X[:n]), as_stock(model).decision_function(X)[:n])
    assert_array_equal(model.predict(X[:n]), as_stock(model).predict(X[:n]))


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("density", [0.05, 0.5])
@pytest.mark.parametrize("as_csr", [sp.csr_matrix, sp.csr_array])
def test_sparse_samples(kernel, density, as_csr):
    X, y = samples(240, n_features=40)
    X[np.random.default_rng(0).random(X.shape) > density] = 0
    model = SVC(kernel=kernel, probability=True, random_state=0, coef0=0.2).fit(as_csr(X[:120]), y[:120])
    assert sp.issparse(model.support_vectors_)
    assert_same_answers(model, as_csr(X[120:]))
    assert_same_answers(model, X[120:])
    assert_same_answers(model, sp.csc_matrix(X[120:]))
    unsorted = as_csr(X[120:])
    unsorted.indices[:] = np.concatenate([row[::-1] for row in np.split(unsorted.indices, unsorted.indptr[1:-1])])
    unsorted.data[:] = np.concatenate([row[::-1] for row in np.split(unsorted.data, unsorted.indptr[1:-1])])
    unsorted.has_sorted_indices = False
    assert_same(model.decision_function(unsorted), as_stock(model).decision_function(X[120:]))

    regressor = SVR(kernel=kernel, coef0=0.2).fit(as_csr(X[:120]), X[:120, 0] + y[:120])
    assert_same(regressor.predict(as_csr(X)), as_stock(regressor).predict(as_csr(X)))


def test_sparse_samples_for_a_dense_fit():
    X, y = samples(50)
    model = SVC().fit(X, y)
    with pytest.raises(ValueError, match="cannot use sparse input in 'SVC' trained on dense data"):
        model.predict(sp.csr_matrix(X))


@pytest.mark.parametrize("n_classes", [2, 4])
def test_precomputed_kernel(n_classes):
    X, y = samples(200, n_classes)
    kernel = laplacian_kernel(X, X[:100])
    model = SVC(kernel="precomputed", probability=True, random_state=0).fit(kernel[:100], y[:100])
    assert_same_answers(model, kernel)
    with pytest.raises(ValueError, match="X has 99 features, but SVC is expecting 100 features"):
        model.predict(kernel[:, 1:])
    regressor = NuSVR(kernel="precomputed").fit(kernel[:100], y[:100])
    assert_same(regressor.predict(kernel), as_stock(regressor).predict(kernel))


@pytest.mark.parametrize("n_classes", [2, 4])
def test_callable_kernel(n_classes):
    X, y = samples(200, n_classes)
    model = SVC(kernel=laplacian_kernel, probability=True, random_state=0).fit(X[:100], y[:100])
    assert_same_answers(model, X)
    regressor = SVR(kernel=laplacian_kernel).fit(X[:100], y[:100])
    assert_same(regressor.predict(X), as_stock(regressor).predict(X))


def test_callable_kernel_of_a_wrong_shape():
    X, y = samples(60)
    model = SVC(kernel=laplacian_kernel).fit(X, y)
    model.kernel = lambda left, right: np.ones((len(left), 59))
    for method in (model.predict, model.decision_function):
        with pytest.raises(ValueError, match=r"X.shape\[1\] = 59 should be equal to 60"):
            method(X)
    model.kernel = lambda left, right: np.ones(60)
    with pytest.raises(ValueError, match="Expected 2D array"):
        model.predict(X)


@pytest.mark.parametrize("offset", [1e3, 1e5, 1e6, 1e8])
@pytest.mark.parametrize("sparse", [False, True])
def test_rbf_far_from_the_origin(offset, sparse):
    X, y = samples(300)
    form = sp.csr_matrix if sparse else np.asarray
    model = SVC(gamma=0.1).fit(form(X[:150]), y[:150])
    # Fitted nearby: what is tested is the prediction.
    vectors = model.support_vectors_.toarray() if sparse else model.support_vectors_
    model.support_vectors_ = form(vectors + offset)
    assert_same_answers(model, form(X[150:] + offset))


@pytest.mark.parametrize("distance", [1e2, 1e5, 1e8])
def test_rbf_on_clusters_far_apart(distance):
    X, y = samples(300)
    X[::2] += distance
    X[1::3] -= distance
    model = SVC(gamma=0.5).fit(X[:150], y[:150])
    assert_same_answers(model, X[150:])


@pytest.mark.parametrize("kernel", ["linear", "rbf", "poly", "sigmoid"])
@pytest.mark.parametrize("size", [1e160, 1e300])
def test_samples_at_the_end_of_the_range(kernel, size):
    X, y = samples(100)
    model = SVC(kernel=kernel, gamma=0.1).fit(X, y)
    # Products of the large rows overflow or come close; the others must not be disturbed.
    X = X.copy()
    X[3] *= size
    X[50] = size
    stock = as_stock(model)
    found, expected = model._decision_function(X), stock._decision_function(X)
    finite = np.isfinite(expected).all(axis=1)
    assert finite.sum() >= 98
    assert_allclose(found[finite], expected[finite], rtol=1e-10, atol=1e-9)
    assert not np.isfinite(found[~finite]).all(axis=1).any()


@pytest.mark.parametrize("params", [{"gamma": 0.0}, {"kernel": "poly", "degree": 0}, {"kernel": "poly", "gamma": 0}])
def test_constant_kernels(params):
    X, y = samples(80)
    assert_same_answers(SVC(**params).fit(X, y), X)


def test_no_support_vectors():
    X, _ = samples(50)
    for form in (np.asarray, sp.csr_matrix):
        model = SVR(epsilon=10).fit(form(X), np.linspace(0, 1, 50))
        assert model.support_vectors_.shape == (0, 7)
        assert_array_equal(model.predict(form(X)), as_stock(model).predict(form(X)))
    sparse = SVR(C=2).fit(sp.csr_matrix((20, 4)), np.arange(20.0))
    assert_same(sparse.predict(sp.csr_matrix(np.eye(4))), np.full(4, sparse.intercept_[0] + sparse.dual_coef_.sum()))


def test_ties_go_to_the_first_class():
    X, y = samples(90, n_classes=3)
    model = SVC().fit(X, y)
    model._dual_coef_ = np.zeros_like(model._dual_coef_)
    for intercepts in ([1.0, -1.0, 1.0], [-1.0, 1.0, -1.0], [0.0, 0.0, 0.0]):
        model._intercept_ = np.array(intercepts)
        assert_array_equal(model.predict(X), as_stock(model).predict(X))


def test_break_ties():
    X, y = make_blobs(600, 2, centers=9, cluster_std=4, random_state=27)
    model = SVC(kernel="linear", break_ties=True).fit(X[:200], y[:200])
    grid = np.random.default_rng(0).uniform(X.min(0), X.max(0), (2000, 2))
    found = model.predict(grid)
    assert_array_equal(found, as_stock(model).predict(grid))
    assert_array_equal(found, model.decision_function(grid).argmax(axis=1))
    model.break_ties = False
    assert (model.predict(grid) != found).any()
    model.break_ties = True
    model.decision_function_shape = "ovo"
    with pytest.raises(ValueError, match="break_ties must be False when decision_function_shape is 'ovo'"):
        model.predict(grid)


def test_altered_models():
    X, y = samples(100)
    model = SVC(probability=True, random_state=0).fit(X, y)
    assert_same_answers(model, X)
    # Coefficients changed in place or exchanged, other support vectors, other parameters, another fit.
    model._dual_coef_[0] *= 3
    assert_same_answers(model, X)
    model._dual_coef_ = np.asfortranarray(model._dual_coef_[::-1])
    model._dual_coef_ = np.ascontiguousarray(model._dual_coef_)
    assert_same_answers(model, X)
    model._intercept_[1] = 0.7
    assert_same_answers(model, X)
    model.support_vectors_ = model.support_vectors_ * 0.5
    assert_same_answers(model, X)
    for params in ({"_gamma": 0.9}, {"kernel": "sigmoid", "coef0": 0.1}, {"kernel": "poly"}, {"degree": 2}):
        vars(model).update(params)
        assert_same_answers(model, X)
    model.fit(X[:, :3], y)
    assert_same_answers(model, X[:, :3])


def test_counts_that_do_not_add_up():
    X, y = samples(60)
    dense, given = SVC().fit(X, y), SVC(kernel="precomputed").fit(X @ X.T, y)
    sparse = SVC().fit(sp.csr_matrix(X), y)
    for model, samples_ in ((dense, X), (given, X @ X.T), (sparse, sp.csr_matrix(X))):
        model.predict(samples_)
        model._n_support[0] = 1_000_000
        with pytest.raises(ValueError, match="The internal representation of SVC was altered"):
            model.predict(samples_)


def test_coefficients_that_do_not_fit():
    X, y = samples(60)
    model = SVC().fit(X, y)
    model._dual_coef_ = model._dual_coef_[:, 1:]
    with pytest.raises(ValueError, match="dual: expected 2 coefficients for each of"):
        model.predict(X)
    model = SVC().fit(X, y)
    model._intercept_ = np.zeros(2)
    with pytest.raises(ValueError, match="intercepts: expected 3, got 2"):
        model.predict(X)


def test_pickles_and_copies_predict():
    X, y = samples(80)
    model = SVC().fit(X, y)
    expected = model.decision_function(X)
    for other in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model), copy.copy(model)):
        assert_array_equal(other.decision_function(X), expected)


@pytest.mark.parametrize("Machine", [*CLASSIFIERS, *REGRESSORS, OneClassSVM])
def test_bad_samples(Machine):
    X, y = samples(60)
    with pytest.raises(NotFittedError):
        Machine().predict(X)
    model = Machine().fit(X, y)
    stock = as_stock(model)
    bad = [
        X[:0],
        X[:, 1:],
        X[0],
        np.where(np.arange(7) == 2, np.nan, X),
        np.where(np.arange(7) == 2, np.inf, X),
        X + 1j,
        [["a"] * 7],
        sp.csr_matrix(X),
    ]
    for given in bad:
        with pytest.raises((ValueError, TypeError)) as expected:
            stock.predict(given)
        with pytest.raises(type(expected.value)) as found:
            model.predict(given)
        assert str(found.value) == str(expected.value)


def test_probabilities_that_there_are_none_of():
    X, y = samples(60)
    model = SVC().fit(X, y)
    assert not hasattr(model, "predict_proba")
    assert not hasattr(model, "predict_log_proba")
    model.probability = True
    with pytest.raises(NotFittedError, match="predict_proba is not available when fitted with probability=False"):
        model.predict_proba(X)


def test_names_of_features_are_compared():
    pandas = pytest.importorskip("pandas", reason="pandas is optional")
    X, y = samples(60)
    frame = pandas.DataFrame(X, columns=list("abcdefg"))
    model = SVC().fit(frame, y)
    assert_array_equal(model.predict(frame), as_stock(model).predict(frame))
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        model.predict(X)
    with pytest.raises(ValueError, match="The feature names should match"):
        model.predict(frame[list("bacdefg")])


def test_methods_are_documented():
    for Machine in (SVC, NuSVC, SVR, NuSVR, OneClassSVM):
        stock = as_stock(Machine())
        for name in ("predict", "decision_function", "score_samples"):
            if hasattr(stock, name):
                assert getattr(Machine, name).__doc__ == getattr(type(stock), name).__doc__
    model = SVC(probability=True)
    for name in ("predict_proba", "predict_log_proba"):
        assert getattr(model, name).__doc__ == getattr(as_stock(model), name).__doc__
