"""Small problems to train on: what tests of estimators over modules share."""

import numpy as np

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 4))
THREE = np.array(["ant", "bee", "cat"])[(X @ RNG.normal(size=(4, 3))).argmax(axis=1)]
TWO = np.where(X @ np.array([1.0, -1.0, 0.5, 0.0]) > 0, "yes", "no")
FLAGS = (X[:, :3] + 0.2 * RNG.normal(size=(120, 3)) > 0).astype(int)
VALUES = X @ np.array([1.0, -2.0, 0.5, 0.0]) + 0.1 * RNG.normal(size=120)
PAIRS = np.stack([VALUES, X[:, 1] * X[:, 2]], axis=1)


def parameters(net):
    """Return copies of the parameters and buffers of a trained estimator."""
    return {name: array.copy() for name, array in net.module_.state_dict().items()}


def assert_same_parameters(first, second):
    first, second = parameters(first), parameters(second)
    assert first.keys() == second.keys()
    for name, array in first.items():
        np.testing.assert_array_equal(array, second[name], err_msg=name)
