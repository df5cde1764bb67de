"""From samples to components and back: what PCA and IncrementalPCA do once they are fitted.

scikit-learn's calls with few rows are checks of the input, mostly; ours pass them by where the input is plain.
"""

from typing import Any

import numpy as np
from sklearn.decomposition._base import _BasePCA
from sklearn.utils.validation import check_array, check_is_fitted

from fastml._support import validation
from fastml._support.arrays import of_numpy
from fastml._support.dispatch import accelerated


class Transforming(_BasePCA):
    """Projection on components, and the way back. Comes before scikit-learn's class among the bases."""

    components_: np.ndarray
    explained_variance_: np.ndarray
    mean_: np.ndarray
    whiten: bool

    @accelerated(of_numpy("components_"))
    def transform(self, X):
        if "components_" not in self.__dict__:
            check_is_fitted(self)
        X = validation.validate(self, X, reset=False, sparse=("csr", "csc"), order=None, large_sparse=True)
        return self._project(X)

    @accelerated(of_numpy("components_"))
    def inverse_transform(self, X):
        if "components_" not in self.__dict__:
            check_is_fitted(self)
        if not validation.is_plain(X):
            X = check_array(X, input_name="X", dtype=[np.float64, np.float32])
        components = self.components_
        if self.whiten:
            components = np.sqrt(self.explained_variance_[:, None]) * components
        original = X @ components
        return np.add(original, self.mean_, out=original if original.dtype == X.dtype == self.mean_.dtype else None)

    def _project(self, X: Any) -> np.ndarray:
        """Return validated samples, less the mean, times the components, in units of deviations where whitened."""
        weights = self.components_
        if self.whiten:
            # A variance of 0, or of no more than rounding, would give infinite values.
            scale = np.sqrt(self.explained_variance_)
            scale = np.maximum(scale, np.finfo(scale.dtype).eps)
            weights = (weights / scale[:, None]).astype(weights.dtype, copy=False)
        projected = X @ weights.T
        # The mean is projected by itself, so that X need not be copied, nor a sparse one made dense.
        projected -= self.mean_ @ weights.T
        return projected
