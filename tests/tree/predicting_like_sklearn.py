"""The same trees in a fastml estimator and in scikit-learn's, so that predictions can be compared bit for bit."""

import numpy as np
import scipy.sparse as sp
from sklearn.base import clone

METHODS = ("predict", "predict_proba", "predict_log_proba", "apply")


def same_trees(cls, stock):
    """Return an estimator of fastml's class that holds the trees of a fitted one of scikit-learn's."""
    ours = cls(**stock.get_params(deep=False))
    for name, value in vars(stock).items():
        setattr(ours, name, value)
    return ours


def samples(n_samples, n_features=6, seed=0, missing=False, dtype=np.float32):
    """Return rows of few distinct values beside continuous ones, so that many lie on a threshold."""
    rng = np.random.RandomState(seed)
    X = rng.standard_normal((n_samples, n_features))
    X[:, ::2] = np.round(X[:, ::2])
    if missing:
        X[rng.uniform(size=X.shape) < 0.1] = np.nan
    return X.astype(dtype)


def targets(X, kind, n_outputs=1, seed=1):
    """Return numbers or classes (strings), of as many outputs with a different number of classes each."""
    rng = np.random.RandomState(seed)
    score = np.nan_to_num(X[:, :1] - X[:, 1:2]) + 0.5 * rng.standard_normal((len(X), n_outputs))
    if kind == "numbers":
        y = score
    else:
        edges = [np.linspace(-1, 1, 1 + k) for k in range(n_outputs)]
        y = np.column_stack([np.digitize(score[:, k], edges[k]) for k in range(n_outputs)]).astype("U3")
    return y[:, 0] if n_outputs == 1 else y


def fitted(estimator, kind, n_outputs=1, missing=False, n_samples=400):
    X = samples(n_samples, missing=missing)
    return clone(estimator).fit(X, targets(X, kind, n_outputs))


def ways_to_give(X):
    """Yield (name, X in another shape of memory) for float32 X."""
    yield "float32", X
    yield "float64", X.astype(np.float64)
    yield "columns first", np.asfortranarray(X)
    yield "float64, columns first", np.asfortranarray(X, dtype=np.float64)
    yield "every second row and column", np.repeat(np.repeat(X, 2, axis=0), 2, axis=1)[::2, ::2]
    yield "backwards", X[::-1, ::-1].copy()[::-1, ::-1]
    yield "other byte order", X.astype(">f4")
    yield "lists", X.tolist()
    unaligned = np.frombuffer(b"-" + X.tobytes(), dtype=np.float32, offset=1).reshape(X.shape)
    yield "unaligned", unaligned
    frozen = X.copy()
    frozen.flags.writeable = False
    yield "read-only", frozen


def sparse_rows(X):
    """Return X in CSR format, its zeros not stored."""
    return sp.csr_matrix(X)


def as_list(value):
    return value if isinstance(value, list) else [value]


def assert_same_bits(ours, stock, where=""):
    """Assert that arrays, or lists of them, agree in every bit, in type and in shape."""
    assert type(ours) is type(stock), where
    assert len(as_list(ours)) == len(as_list(stock)), where
    for a, b in zip(as_list(ours), as_list(stock)):
        assert (a.dtype, a.shape) == (b.dtype, b.shape), where
        assert a.flags.writeable, where
        assert a.tobytes() == b.tobytes(), where


def assert_predicts_alike(ours, stock, X, where=""):
    """Assert that two estimators give the same bits by every method that they have."""
    for method in METHODS:
        assert hasattr(ours, method) == hasattr(stock, method), method
        if hasattr(stock, method):
            with np.errstate(divide="ignore"):
                assert_same_bits(getattr(ours, method)(X), getattr(stock, method)(X), f"{where} {method}")


def assert_same_outcome(ours, stock, method, *args, **kwargs):
    """Assert that a method of two estimators returns the same bits or raises the same error; return the error."""
    answers, errors = [], []
    for model in (ours, stock):
        try:
            with np.errstate(over="ignore"):
                answers.append(getattr(model, method)(*args, **kwargs))
        except Exception as error:
            errors.append(error)
    if not errors:
        assert_same_bits(*answers)
        return None
    assert not answers, errors[0]
    assert [type(errors[0]), str(errors[0])] == [type(errors[1]), str(errors[1])]
    return errors[0]
