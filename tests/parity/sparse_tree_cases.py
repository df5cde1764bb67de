"""Random problems for trees on sparse samples, each made from its number alone."""

import numpy as np
import scipy.sparse as sp
from tree_cases import Case, classification_case, regression_case

SPARSE_KINDS = ("continuous", "positive", "negative", "counts", "binary", "near zero", "near equal", "stored zeros")


class SparseCase(Case):
    """A problem of :mod:`tree_cases` whose samples are sparse: ``kind`` is one of ``SPARSE_KINDS``."""

    def samples(self):
        """Return X as CSC."""
        rng = np.random.RandomState(self.number)
        size = self.n_samples, self.n_features
        # Columns that are almost full and such that are almost empty.
        held = rng.uniform(size=size) < rng.choice([0.003, 0.03, 0.3, 0.95, 1.0], size=self.n_features)
        X = rng.standard_normal(size)
        if self.kind == "positive":
            X = np.abs(X)
        elif self.kind == "negative":
            X = -np.abs(X)
        elif self.kind == "counts":
            X = rng.randint(-1, 4, size=size).astype(float)
        elif self.kind == "binary":
            X = np.ones(size)
        elif self.kind == "near zero":
            # As far from zero, and from one another, as values may be that a tree takes for equal.
            X = rng.randint(-4, 5, size=size) * 6e-8 + (rng.uniform(size=size) < 0.1)
        elif self.kind == "near equal":
            X = rng.randint(-2, 3, size=size) + rng.randint(0, 4, size=size) * 6e-8
        stored = sp.csc_matrix(np.where(held, X, 0).astype(np.float32))
        if self.kind == "stored zeros":
            stored.data[rng.uniform(size=stored.nnz) < 0.3] = 0
            stored.data[rng.uniform(size=stored.nnz) < 0.2] = -0.0
        return stored

    def _signal(self):
        return self.samples().toarray().astype(float)


def _sparse(case):
    rng = np.random.RandomState(case.number + 5_000_000)
    fields = {name: getattr(case, name) for name in case.__dataclass_fields__}
    return SparseCase(**{**fields, "kind": SPARSE_KINDS[rng.randint(len(SPARSE_KINDS))]})


def sparse_classification_case(number):
    """Return the case of a number, with classes to tell apart. Sums are exact: weights are whole numbers."""
    return _sparse(classification_case(number))


def sparse_regression_case(number):
    """Return the case of a number, with numbers to predict."""
    return _sparse(regression_case(number))
