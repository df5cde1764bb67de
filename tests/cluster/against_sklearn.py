"""The same done with fastml and with scikit-learn, and what came of each."""

import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sklearn.cluster
from numpy.testing import assert_allclose, assert_array_equal

from fastml.cluster import KMeans, MiniBatchKMeans

STOCK = {KMeans: sklearn.cluster.KMeans, MiniBatchKMeans: sklearn.cluster.MiniBatchKMeans}
ESTIMATORS = list(STOCK)


def blobs(n_samples=300, n_features=4, n_blobs=5, seed=0, dtype=np.float64):
    """Return rows around random centres. Distances between rows are all different: no ties."""
    rng = np.random.RandomState(seed)
    centers = rng.uniform(-10, 10, size=(n_blobs, n_features))
    return (centers[rng.randint(n_blobs, size=n_samples)] + rng.standard_normal((n_samples, n_features))).astype(dtype)


@dataclass
class Outcome:
    """What an action returned or raised, and its warnings as (category, text)."""

    value: Any = None
    error: tuple[type, str] | None = None
    warnings: list[tuple[type, str]] = field(default_factory=list)


def outcome(action):
    """Perform an action and tell what came of it."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = Outcome()
        try:
            result.value = action()
        except Exception as error:
            result.error = type(error), str(error)
    result.warnings = [(warning.category, str(warning.message)) for warning in caught]
    return result


def assert_same_outcome(cls, action):
    """Assert that `action(cls)` raises and warns as `action(stock class)` does; return both outcomes."""
    ours, stock = outcome(lambda: action(cls)), outcome(lambda: action(STOCK[cls]))
    assert ours.error == stock.error
    assert ours.warnings == stock.warnings
    return ours, stock


def tolerance(dtype):
    """Return the relative tolerance for sums over a few hundred rows, which the two add in different orders."""
    return 2e-5 if np.dtype(dtype) == np.float32 else 1e-11


def fitted_attributes(model):
    return {name for name in vars(model) if name.endswith("_") and not name.startswith("_")}


def assert_same_model(ours, stock):
    """Assert that two fitted models agree: labels and counts exactly, sums up to their order."""
    assert fitted_attributes(ours) == fitted_attributes(stock)
    for name in sorted(fitted_attributes(stock)):
        a, b = getattr(ours, name), getattr(stock, name)
        if name == "inertia_":
            # Not the type: scikit-learn's is a double or a NumPy scalar, depending on the path that computed it.
            assert isinstance(a, float | np.floating)
            assert_allclose(a, b, rtol=tolerance(stock.cluster_centers_.dtype))
            continue
        assert type(a) is type(b), name
        if name == "cluster_centers_":
            assert (a.dtype, a.shape, a.flags.c_contiguous) == (b.dtype, b.shape, b.flags.c_contiguous)
            scale = np.abs(b).max()
            assert_allclose(a, b, rtol=0, atol=tolerance(b.dtype) * scale)
        elif isinstance(b, np.ndarray):
            assert a.dtype == b.dtype, name
            assert_array_equal(a, b, err_msg=name)
        else:
            assert a == b, name
