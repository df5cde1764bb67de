"""What it costs to choose between fastml and scikit-learn: ``pytest benchmarks/test_dispatch.py``."""

import pytest

from fastml._support.dispatch import Condition, accelerated


class Stock:
    def predict(self, X):
        return X


# As in the package: the names of its own classes are known.
class Conditional(Stock):
    __module__ = "fastml"

    @accelerated(Condition("a number", lambda self, X: isinstance(X, int)))
    def predict(self, X):
        return X


class Unconditional(Stock):
    __module__ = "fastml"

    @accelerated()
    def predict(self, X):
        return X


@pytest.mark.parametrize("estimator", [Stock, Conditional, Unconditional])
def test_call(benchmark, estimator):
    assert benchmark(estimator().predict, 1) == 1
