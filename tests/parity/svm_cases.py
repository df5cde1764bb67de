"""Random problems for kernel machines, each made from its number alone, and the comparison of two fitted machines."""

import warnings
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations

import numpy as np
import scipy.sparse as sp
import sklearn.svm
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics.pairwise import pairwise_kernels

import fastml.svm

MACHINES = ("SVC", "NuSVC", "SVR", "NuSVR", "OneClassSVM")
CLASSIFIERS = ("SVC", "NuSVC")
KERNELS = ("linear", "poly", "rbf", "sigmoid")
# The sigmoid is no positive definite kernel. A problem with it has several solutions, and NuSVC divides its own by a
# number that can come near zero: these two are compared on values so small that the hyperbolic tangent is linear.
HARMLESS_SIGMOID = {"gamma": 0.01, "coef0": 0.0}

# What is promised. A fit may leave the optimality conditions violated by tol, and decision values off by as much.
LIMIT = 20_000  # of steps
AS_LOW = 1e-6  # of LIBSVM's dual objective
CLOSE = {1e-3: 1e-3, 1e-8: 1e-6}  # decision values, by tol


@dataclass(frozen=True)
class Case:
    """A problem for a kernel machine.

    Parameters
    ----------
    number : int
        What the rest was drawn from.
    machine : str
        A class of ``sklearn.svm``.
    parameters : dict
        Its parameters, but for a kernel that is no string.
    storage : str
        "float64", "float32", "csr", "precomputed" or "callable".
    n_samples, n_features, n_classes : int
        The samples.
    weights : str
        How samples are weighted: "none", "uniform" or "zeros".
    """

    number: int
    machine: str
    parameters: dict = field(hash=False)
    storage: str
    n_samples: int
    n_features: int
    n_classes: int
    weights: str

    def __str__(self):
        return (
            f"{self.number}: {self.machine} {self.parameters}, {self.n_samples} x {self.n_features} {self.storage}, "
            f"{self.n_classes} classes, weights: {self.weights}"
        )

    def samples(self):
        """Return X for the fit, X for predictions, and y."""
        rng = np.random.RandomState(self.number)
        y = rng.permutation(np.arange(self.n_samples) % self.n_classes)
        centers = rng.standard_normal((self.n_classes, self.n_features))
        X = rng.standard_normal((self.n_samples, self.n_features)) + centers[y]
        queries = rng.standard_normal((20, self.n_features))
        if self.machine in ("SVR", "NuSVR"):
            y = np.sin(X[:, 0]) + 0.3 * rng.standard_normal(self.n_samples)
        if self.storage == "csr":
            X[rng.uniform(size=X.shape) < 0.6] = 0
            return sp.csr_array(X), sp.csr_array(queries * (np.abs(queries) > 1)), y
        if self.storage == "float32":
            return X.astype(np.float32), queries.astype(np.float32), y
        if self.storage == "precomputed":
            gram = partial(pairwise_kernels, metric="rbf", gamma=0.5 / self.n_features)
            return gram(X), gram(queries, X), y
        return X, queries, y

    def sample_weight(self):
        """Return the weights of the samples, or None."""
        rng = np.random.RandomState(self.number + 1_000_000)
        if self.weights == "none":
            return None
        drawn = rng.uniform(0.2, 2, size=self.n_samples)
        return drawn * (rng.uniform(size=self.n_samples) < 0.8) if self.weights == "zeros" else drawn

    def fit(self, module):
        """Return a machine of a module, fitted, and its warnings."""
        kernel = {"callable": laplacian, "precomputed": "precomputed"}.get(self.storage)
        model = getattr(module, self.machine)(**self.parameters, **({"kernel": kernel} if kernel else {}))
        X, _, y = self.samples()
        return model, quietly(model.fit, X, y, sample_weight=self.sample_weight())


def laplacian(X, Y):
    """Return e^-|x - y|, a kernel that LIBSVM does not have."""
    return np.exp(-np.abs(X[:, None] - Y).sum(axis=2) / X.shape[1])


def random_case(number, storages=("float64", "float64", "float32", "csr", "precomputed", "callable"), **fixed):
    """Return the case of a number; `fixed` are parameters that are not drawn."""
    rng = np.random.RandomState(number + 3_000_000)

    def one_of(*choices):
        return choices[rng.randint(len(choices))]

    machine = one_of("SVC", "SVC", *MACHINES)
    storage = one_of(*storages)
    parameters = {"tol": one_of(1e-3, 1e-8), "shrinking": one_of(True, True, False), "max_iter": LIMIT}
    if storage not in ("precomputed", "callable"):
        parameters |= {
            "kernel": one_of("rbf", *KERNELS),
            "gamma": one_of("scale", "auto", 0.05, 0.5),
            "coef0": one_of(0.0, 0.5),
            "degree": one_of(2, 3, 5),
        }
        if (machine, parameters["kernel"]) == ("NuSVC", "sigmoid"):
            parameters["kernel"] = "rbf"
    if machine in ("SVC", "SVR", "NuSVR"):
        parameters["C"] = one_of(0.1, 1.0, 10.0)
    if machine in ("NuSVC", "NuSVR", "OneClassSVM"):
        parameters["nu"] = one_of(0.05, 0.2, 0.4)
    if machine == "SVR":
        parameters["epsilon"] = one_of(0.0, 0.1, 0.3)
    if machine in CLASSIFIERS:
        parameters["class_weight"] = one_of(None, None, "balanced", {0: 0.7, 1: 1.5})
    return Case(
        number=number,
        machine=machine,
        parameters=parameters | fixed,
        storage=storage,
        n_samples=int(10 ** rng.uniform(1.4, 2.2)),
        n_features=int(10 ** rng.uniform(0, 1.5)) + 4 * (storage == "csr"),  # else many rows would be empty
        n_classes=one_of(2, 2, 3, 5),
        weights=one_of("none", "none", "uniform", "zeros"),
    )


def quietly(call, *args, **kwargs):
    """Call, and return what was warned of, as (category, text); that probabilities are deprecated is no news."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call(*args, **kwargs)
    return [(w.category, str(w.message)) for w in caught if "`probability` parameter" not in str(w.message)]


def decisions(model, X):
    """Return decision values, one column a pair of classes, or predicted numbers."""
    if not hasattr(model, "decision_function"):
        return model.predict(X)
    shape = getattr(model, "decision_function_shape", None)
    if shape is None:
        return model.decision_function(X)
    model.decision_function_shape = "ovo"  # not votes, which jump where a value changes its sign
    try:
        return model.decision_function(X)
    finally:
        model.decision_function_shape = shape


def dual_objectives(model, X, y):
    """Return the dual objective of each pair of classes, or the only one, in float64, of the attributes of a fit.

    Those of NuSVC are up to a constant factor: LIBSVM divides its coefficients by a number that it does not return.
    """
    coefficients = model.dual_coef_.toarray() if sp.issparse(model.dual_coef_) else model.dual_coef_
    if not len(model.support_):
        return np.zeros(len(model.intercept_))
    K = _kernel(model, X)
    if model.__class__.__name__ in CLASSIFIERS:
        ends = np.concatenate([[0], np.cumsum(model.n_support_)])
        objectives = []
        for first, second in combinations(range(len(model.classes_)), 2):
            of_first, of_second = (slice(ends[k], ends[k + 1]) for k in (first, second))
            rows = np.r_[of_first, of_second]
            c = np.concatenate([coefficients[second - 1, of_first], coefficients[first, of_second]])
            quadratic, sizes = 0.5 * c @ K[np.ix_(rows, rows)] @ c, np.abs(c).sum()
            objectives.append(quadratic - sizes if hasattr(model, "C") else quadratic / sizes**2)
        return np.array(objectives)
    c = coefficients[0]
    if model.__class__.__name__ == "OneClassSVM":
        return np.array([0.5 * c @ K @ c])
    linear = np.asarray(y)[model.support_] @ c
    # NuSVR keeps the sum of |c| below C nu n, and has no term of it.
    sizes = 0.0 if model.__class__.__name__ == "NuSVR" else model.epsilon * np.abs(c).sum()
    return np.array([0.5 * c @ K @ c + sizes - linear])


def _kernel(model, X):
    """Return the kernel matrix of the support vectors."""
    if model.kernel == "precomputed":
        return X[np.ix_(model.support_, model.support_)]
    if callable(model.kernel):
        return model.kernel(X[model.support_], X[model.support_])
    vectors = X[model.support_].astype(np.float64)
    parameters = {"gamma": model._gamma, "degree": model.degree, "coef0": model.coef0}
    return pairwise_kernels(vectors, metric=model.kernel, filter_params=True, **parameters)


def assert_same_machine(ours, stock, X, queries, y, sample_weight=None, where=""):
    """Assert that two machines learned the same; tell whether they took the same steps.

    Where rounding decides between two steps, coefficients and support vectors may differ: objectives and decision
    values may not.
    """
    if sample_weight is not None and np.any(sample_weight <= 0):
        stock = by_all_samples(stock, sample_weight)
    assert_same_form(ours, stock, where)
    same_steps = np.array_equal(ours.n_iter_, stock.n_iter_) and np.array_equal(ours.support_, stock.support_)
    values, expected = decisions(ours, queries), decisions(stock, queries)
    assert values.dtype == expected.dtype, where
    # Rounded kernel values keep some problems from ever meeting a small tol: these end at their limit of steps.
    close = CLOSE[ours.tol] if stock.fit_status_ == 0 else max(CLOSE.values())
    # Where the margin of a nu machine collapses, coefficients are divided by next to nothing: what is left of their
    # sums is rounding.
    coefficients = stock.dual_coef_.data if sp.issparse(stock.dual_coef_) else stock.dual_coef_
    close = max(close, 1e3 * np.finfo(np.float64).eps * np.abs(coefficients).max(initial=0.0))
    np.testing.assert_allclose(values, expected, rtol=0, atol=close, err_msg=where)
    excess, size = dual_objectives(ours, X, y) - dual_objectives(stock, X, y), np.abs(dual_objectives(stock, X, y))
    assert np.all(excess <= AS_LOW * size + 1e-12), (excess / size, where)
    if same_steps:
        for name in ("dual_coef_", "intercept_"):
            actual, wanted = (getattr(model, name) for model in (ours, stock))
            if sp.issparse(wanted):
                actual, wanted = actual.toarray(), wanted.toarray()
            np.testing.assert_allclose(actual, wanted, rtol=1e-4, atol=1e-6 * np.abs(wanted).max(initial=0.0))
    return same_steps


def assert_same_form(ours, stock, where=""):
    """Assert that the attributes of two machines have the same names, types and shapes, but for numbers of vectors."""
    assert set(vars(ours)) == set(vars(stock)), where
    for name in (*vars(stock), "n_support_"):
        actual, expected = getattr(ours, name), getattr(stock, name)
        if name == "kernel" or name.endswith("__Xfit"):
            continue
        assert type(actual) is type(expected), (name, where)
        if isinstance(expected, np.ndarray) or sp.issparse(expected):
            assert actual.dtype == expected.dtype, (name, where)
            assert actual.ndim == expected.ndim, (name, where)
        if isinstance(expected, np.ndarray):
            assert actual.flags.writeable == expected.flags.writeable, (name, where)
            assert actual.flags.c_contiguous == expected.flags.c_contiguous, (name, where)
    for name in ("intercept_", "_probA", "_probB", "n_support_"):
        assert getattr(ours, name).shape == getattr(stock, name).shape, (name, where)
    assert ours.fit_status_ == stock.fit_status_, where
    assert ours.shape_fit_ == stock.shape_fit_, where
    assert getattr(ours, "n_features_in_", None) == getattr(stock, "n_features_in_", None)
    if hasattr(stock, "classes_"):
        np.testing.assert_array_equal(ours.classes_, stock.classes_)
        np.testing.assert_array_equal(ours.class_weight_, stock.class_weight_)


def by_all_samples(stock, sample_weight):
    """Return a copy whose `support_` counts all samples: scikit-learn's counts those of positive weight only."""
    copied = object.__new__(type(stock))
    vars(copied).update(vars(stock), support_=np.flatnonzero(sample_weight > 0)[stock.support_].astype(np.int32))
    return copied


def assert_same_warnings(ours, stock, where=""):
    """Assert that two fits warned of the same."""
    assert ours == stock, where
    assert {category for category, _ in stock} <= {ConvergenceWarning}, where


def both(case):
    """Return fastml's and scikit-learn's machine of a case, fitted."""
    (ours, our_warnings), (stock, stock_warnings) = (case.fit(module) for module in (fastml.svm, sklearn.svm))
    assert_same_warnings(our_warnings, stock_warnings, str(case))
    return ours, stock
