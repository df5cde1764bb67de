"""A small problem to train on, and a network for it: what tests of the training loop share."""

import numpy as np

from fastml.nn import BatchNorm1d, Dropout, Linear, ReLU, Sequential, optim
from fastml.nn.losses import cross_entropy
from fastml.nn.training import fit

RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 4))
CLASSES = (X @ RNG.normal(size=(4, 3))).argmax(axis=1)
VALUES = X @ np.array([1.0, -2.0, 0.5, 0.0]) + 0.1 * RNG.normal(size=90)


def network(n_outputs=3, seed=0, dropout=False, dtype=np.float32):
    rng = np.random.default_rng(seed)
    between = [BatchNorm1d(16), Dropout(0.3), Dropout(0.1, rng=7)] if dropout else []
    module = Sequential(Linear(4, 16, rng=rng), ReLU(), *between, Linear(16, n_outputs, rng=rng))
    return module.astype(dtype)


def arrays(module):
    return {name: array.copy() for name, array in module.state_dict().items()}


def assert_same_state(first, second):
    assert first.keys() == second.keys()
    for name in first:
        np.testing.assert_array_equal(first[name], second[name], err_msg=name)


def trained(epochs=6, module=None, y=CLASSES, loss=cross_entropy, lr=0.05, **options):
    module = network() if module is None else module
    options.setdefault("seed", 0)
    history = fit(module, X, y, loss, optim.Adam(module.parameters(), lr=lr), epochs, 16, **options)
    return module, history
