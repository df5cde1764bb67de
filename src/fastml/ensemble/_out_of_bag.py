"""Out-of-bag estimates: each sample predicted by the trees that were not grown on it."""

from typing import Any
from warnings import warn

import numpy as np
from scipy.sparse import issparse
from sklearn.ensemble._forest import ForestClassifier, ForestRegressor
from sklearn.metrics import accuracy_score, r2_score

from fastml._support import threads
from fastml.ensemble._bootstrap import Bootstrap
from fastml.ensemble._lazy_trees import LazyTrees
from fastml.tree._growing import seeded
from fastml.tree._predicting import add_tree_values


def _mean_of_trees(forest: LazyTrees, X: Any, n_values: int) -> np.ndarray:
    """Return the mean, over the trees that were not grown on a sample, of what they predict for it."""
    n_samples = X.shape[0]
    if issparse(X):
        X = X.tocsr()
    bootstrap = Bootstrap(n_samples, forest._n_samples_bootstrap, forest._sample_weight)
    n_threads = threads.n_threads(forest.n_jobs, work=10.0 * n_samples)
    sums = np.zeros((n_samples, n_values))
    counts = np.zeros((n_samples, 1), dtype=np.int64)
    for seed, tree in forest._seeded_trees():
        rows = np.flatnonzero(bootstrap.counts(seeded(seed)) == 0)
        predicted = np.zeros((len(rows), n_values))
        add_tree_values([tree], X[rows], predicted, n_threads=n_threads)
        sums[rows] += predicted
        counts[rows] += 1
    if not counts.all():
        warn(
            "Some inputs do not have OOB scores. This probably means too few trees were used to compute any reliable "
            "OOB estimates.",
            UserWarning,
            stacklevel=4,
        )
        counts[counts == 0] = 1
    return sums / counts


class OutOfBagClassifier(LazyTrees, ForestClassifier):
    """``oob_decision_function_`` and ``oob_score_`` of a classifier."""

    def _set_oob_score_and_attributes(self, X: Any, y: Any, scoring_function: Any = None) -> None:
        n_classes = self.n_classes_[0]
        if any(count != n_classes for count in self.n_classes_):
            super()._set_oob_score_and_attributes(X, y, scoring_function)
            return
        means = _mean_of_trees(self, X, self.n_outputs_ * n_classes)
        if self.n_outputs_ > 1:
            means = means.reshape(X.shape[0], self.n_outputs_, n_classes).transpose(0, 2, 1).copy()
        self.oob_decision_function_ = means
        self.oob_score_ = (scoring_function or accuracy_score)(y, np.argmax(means, axis=1))


class OutOfBagRegressor(LazyTrees, ForestRegressor):
    """``oob_prediction_`` and ``oob_score_`` of a regressor."""

    def _set_oob_score_and_attributes(self, X: Any, y: Any, scoring_function: Any = None) -> None:
        means = _mean_of_trees(self, X, self.n_outputs_)
        self.oob_prediction_ = means[:, 0] if self.n_outputs_ == 1 else means
        self.oob_score_ = (scoring_function or r2_score)(y, self.oob_prediction_)
