"""What trees do once they are fitted, and what forests and boosting share of it.

The kernels read the trees where they are: a :class:`~fastml._core.ForestView` refers to the memory of scikit-learn's
``Tree`` objects, or to the arrays that the kernels grew. So whoever changes ``tree_.value`` or ``tree_.threshold`` in
place gets the prediction that scikit-learn gives, and there is no second copy of a forest that could grow stale.

Making a view takes a microsecond a tree, which is more than the tree takes to predict a row. So an estimator's view is
remembered: outside of the estimator, whose attributes are its user's, and only as long as it has the same trees.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse as sp
from sklearn.base import is_classifier
from sklearn.tree import BaseDecisionTree, DecisionTreeClassifier
from sklearn.utils.validation import check_is_fitted

from fastml import _core
from fastml._support import threads
from fastml._support.dispatch import accelerated
from fastml._support.remembered import Remembered

_STEP = 20.0
"""Scalar operations, by the measure of :mod:`fastml._support.threads`, that a step of a walk takes as long as."""

_views: Remembered[tuple[list[Any], _core.ForestView]] = Remembered()


class TreePredicting(BaseDecisionTree):
    """``predict`` and ``apply`` of a tree."""

    @accelerated()
    def predict(self, X, check_input=True):
        values = self._leaf_values(X, check_input)
        if is_classifier(self):
            if self.n_outputs_ == 1:
                return self.classes_.take(values.argmax(axis=1), axis=0)
            predictions = np.zeros((len(values), self.n_outputs_), dtype=self.classes_[0].dtype)
            for k in range(self.n_outputs_):
                predictions[:, k] = self.classes_[k].take(values[:, k].argmax(axis=1), axis=0)
            return predictions
        return values[:, 0] if self.n_outputs_ == 1 else values[:, :, 0]

    @accelerated()
    def apply(self, X, check_input=True):
        X, view = self._checked_samples(X, check_input)
        if not _is_served(X):
            return self.tree_.apply(X)
        return view.apply(core_samples(X), prediction_threads(view, X))[0]

    def _checked_samples(self, X: Any, check_input: bool) -> tuple[Any, _core.ForestView]:
        if "n_outputs_" not in self.__dict__:
            check_is_fitted(self)
        if check_input:
            X = samples(self, X, check_input=True)
        else:
            self._validate_X_predict(X, check_input=False)
        trees = grown_trees(self)
        return X, remembered_view(self, [self.tree_] if trees is None else trees)

    def _leaf_values(self, X: Any, check_input: bool) -> np.ndarray:
        """Return the values of each sample's leaf, shaped as by scikit-learn's ``Tree.predict``."""
        X, view = self._checked_samples(X, check_input)
        if not _is_served(X):
            return self.tree_.predict(X)
        # What is added to -0.0 is left as it is, its sign included.
        values = np.full((X.shape[0], view.n_values), -0.0)
        view.add_values(core_samples(X), values, n_threads=prediction_threads(view, X))
        return values if self.n_outputs_ == 1 else values.reshape(len(values), self.n_outputs_, -1)


class TreeClassifierPredicting(TreePredicting, DecisionTreeClassifier):
    """``predict``, ``predict_proba`` and ``apply`` of a tree, which make the parent's ``predict_log_proba`` quick."""

    @accelerated()
    def predict_proba(self, X, check_input=True):
        values = self._leaf_values(X, check_input)
        if self.n_outputs_ == 1:
            return values[:, : self.n_classes_]
        return [values[:, k, : self.n_classes_[k]] for k in range(self.n_outputs_)]


def _is_served(X: Any) -> bool:
    """Tell whether an X that was not to be checked is what scikit-learn's ``Tree`` takes; else it has the message."""
    if sp.issparse(X):
        return X.format == "csr" and X.dtype == np.float32 and X.indices.dtype == X.indptr.dtype == np.int32
    return isinstance(X, np.ndarray) and X.ndim == 2 and X.dtype == np.float32 and X.dtype.isnative


def samples(estimator: Any, X: Any, **checks: bool) -> Any:
    """Check the samples given to a fitted tree or forest, as scikit-learn does.

    Parameters
    ----------
    estimator : estimator instance
        A fitted tree or forest of scikit-learn's kind.
    X : array-like or sparse matrix of shape (n_samples, n_features)
        The samples.
    **checks : bool
        What else the estimator's ``_validate_X_predict`` wants to know.

    Returns
    -------
    X : ndarray or CSR of shape (n_samples, n_features), float32
        Dense with any strides, and possibly NaN where the estimator takes it; sparse with 32-bit indices.

    Raises
    ------
    TypeError, ValueError
        scikit-learn's, where it rejects X.
    """
    plain = plain_samples(estimator, X)
    return estimator._validate_X_predict(X, **checks) if plain is None else plain


def plain_samples(estimator: Any, X: Any) -> np.ndarray | None:
    """Return samples that no check has an objection to, as those checks would, but sooner.

    Parameters
    ----------
    estimator : estimator instance
        A fitted estimator that takes finite samples.
    X : array-like or sparse matrix of shape (n_samples, n_features)
        The samples.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features), float32, or None
        None where X is to be checked by scikit-learn.
    """
    state = estimator.__dict__
    if (
        type(X) is np.ndarray
        and X.ndim == 2
        and X.shape[1] == state["n_features_in_"]
        and X.shape[0] > 0
        and "feature_names_in_" not in state
    ):
        return _plain_samples(X)
    return None


def _plain_samples(X: np.ndarray) -> np.ndarray | None:
    """Return an array as float32 where that is finite, else None."""
    flags = X.flags
    if flags.f_contiguous and not flags.c_contiguous:
        # What a choice of columns is, such as bagging's.
        plain = _plain_samples(X.T)
        return None if plain is None else plain.T
    if not (flags.c_contiguous and flags.aligned and X.dtype.isnative):
        return None
    kind = X.dtype.type
    if kind is np.float64:
        return _core.to_float32(X, threads.n_threads(work=X.size))
    if kind is np.float32 and _core.all_finite(X, threads.n_threads(work=X.size)):
        return X
    return None


def core_samples(X: Any) -> Any:
    """Return validated samples as the bindings take them.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_features), float32

    Returns
    -------
    X : ndarray or tuple
        The array, aligned; the parts of a CSR one.
    """
    if sp.issparse(X):
        return tuple(np.ascontiguousarray(part) for part in (X.data, X.indices, X.indptr)) + (X.shape[1],)
    if X.flags.c_contiguous and X.flags.aligned:
        return X
    return np.require(X, requirements="A") if all(s % X.itemsize == 0 for s in X.strides) else X.copy()


def prediction_threads(view: _core.ForestView, X: Any, n_jobs: int | None = None) -> int:
    """Return how many threads a prediction is worth.

    Parameters
    ----------
    view : ForestView
        The trees.
    X : ndarray or CSR of shape (n_samples, n_features)
        The samples.
    n_jobs : int, optional
        The estimator's parameter.

    Returns
    -------
    n_threads : int
    """
    return threads.n_threads(n_jobs, _STEP * X.shape[0] * view.n_steps)


def grown_trees(estimator: Any) -> list[Any] | None:
    """Return the arrays of an estimator whose scikit-learn trees nobody has asked for yet, else None."""
    offered = getattr(estimator, "_grown_trees", None)
    return None if offered is None else offered()


def forest_view(trees: Sequence[Any], n_features: int) -> _core.ForestView:
    """Return a view of trees.

    Parameters
    ----------
    trees : sequence of Tree, or of (nodes, values)
        scikit-learn's trees, or arrays as :func:`fastml._core.grow_tree` returns them.
    n_features : int
        The features that they were grown on.

    Returns
    -------
    view : ForestView
        It refers to the memory of the trees, and keeps them alive.
    """
    return _core.ForestView([_arrays(tree) for tree in trees], n_features)


def _arrays(tree: Any) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(tree, tuple):
        return tree[0], tree[1]
    # The one way to all of a node's fields at once. The arrays are windows on the Tree's memory.
    state = tree.__getstate__()
    return state["nodes"], state["values"]


def remembered_view(estimator: Any, trees: list[Any]) -> _core.ForestView:
    """Return the view of an estimator's trees, the one made before where they are the same.

    Parameters
    ----------
    estimator : estimator instance
        Whose trees they are.
    trees : list of Tree, or of (nodes, values)
        The trees. A list of Trees is compared tree by tree; one of arrays must be the same list while they are.

    Returns
    -------
    view : ForestView
    """
    entry = _views.get(estimator)
    if entry is not None:
        seen, view = entry
        if seen is trees or (type(trees[0]) is type(seen[0]) is not tuple and seen == trees):
            return view
    view = forest_view(trees, estimator.n_features_in_)
    _views.keep(estimator, (trees, view))
    return view


def forget_view(estimator: Any) -> None:
    """Let go of the trees that an estimator had, before it is fitted anew.

    Parameters
    ----------
    estimator : estimator instance
    """
    _views.forget(estimator)


def add_tree_values(
    trees: Sequence[Any],
    X: Any,
    out: np.ndarray,
    scale: float = 1.0,
    columns: Sequence[int] | None = None,
    n_threads: int = 1,
) -> None:
    """Add what trees predict to an array, tree by tree.

    Parameters
    ----------
    trees : sequence of Tree, or of (nodes, values)
        The trees, all with as many values a node.
    X : ndarray or CSR of shape (n_samples, n_features), float32
        Validated samples.
    out : ndarray of shape (n_samples, n_columns), float64, C-contiguous
        ``out[i, columns[t] + j]`` grows by ``scale`` times value j of the leaf that sample i reaches in tree t.
    scale : float, default=1.0
        The learning rate.
    columns : sequence of int, optional
        For each tree the column of its first value; None for the first column.
    n_threads : int, default=1
        Threads at most. The sums do not depend on it.
    """
    view = forest_view(trees, X.shape[1])
    places = None if columns is None else np.asarray(columns, dtype=np.int64)
    view.add_values(core_samples(X), out, scale, places, n_threads)
