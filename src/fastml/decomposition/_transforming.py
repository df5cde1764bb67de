"""From samples to components and back: what PCA and IncrementalPCA do once they are fitted.

scikit-learn's calls with few rows are checks of the input, mostly; ours pass them by where the input is plain.
"""

from typing import Any

import numpy as np
from sklearn import get_config
from sklearn.decomposition._base import _BasePCA
from sklearn.utils.validation import check_array, check_is_fitted

from fastml._core import linear_scores
from fastml._support import threads, validation
from fastml._support.arrays import of_numpy
from fastml._support.dispatch import accelerated, of_sklearn

MOST_OUTPUTS = 128
"""Components up to which samples are projected by our own kernel, which checks them in the same pass: for more of them
BLAS has the better tiles."""

OWN_PROJECTION = of_sklearn("_transform")
"""Classes derived from these may define it anew."""


class Transforming(_BasePCA):
    """Projection on components, and the way back. Comes before scikit-learn's class among the bases."""

    components_: np.ndarray
    explained_variance_: np.ndarray
    mean_: np.ndarray
    whiten: bool

    @accelerated(of_numpy("components_"), OWN_PROJECTION)
    def transform(self, X):
        if "components_" not in self.__dict__:
            check_is_fitted(self)
        samples = self._checked_samples(X, check_finite=False)
        if self._suits_kernel(samples):
            projected, finite = self._project_doubles(samples)
            if finite or get_config()["assume_finite"]:
                return projected
        return self._project(self._checked_samples(X))

    def _checked_samples(self, X: Any, *, check_finite: bool = True) -> Any:
        return validation.validate(
            self,
            X,
            reset=False,
            sparse=("csr", "csc"),
            order=None,
            large_sparse=True,
            check_finite=check_finite,
        )

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
        """Return finite samples, less the mean, times the components, in units of deviations where whitened."""
        if self._suits_kernel(X):
            return self._project_doubles(X)[0]
        weights = self._weights()
        projected = X @ weights.T
        # The mean is projected by itself, so that X need not be copied, nor a sparse one made dense.
        projected -= np.reshape(self.mean_, (1, -1)) @ weights.T
        return projected

    def _suits_kernel(self, X: Any) -> bool:
        """Tell whether samples are what the kernel of doubles takes, and it is quicker than BLAS."""
        arrays = [X, self.components_, self.mean_, *([self.explained_variance_] if self.whiten else [])]
        if not all(type(array) is np.ndarray for array in arrays) or self.components_.ndim != 2:
            return False
        k, d = self.components_.shape
        if X.shape[1:] != (d,) or self.mean_.shape != (d,) or not 0 < k <= MOST_OUTPUTS:
            return False
        return X.flags.c_contiguous and X.flags.aligned and all(array.dtype == np.float64 for array in arrays)

    def _project_doubles(self, X: np.ndarray) -> tuple[np.ndarray, bool]:
        """Return the same, and whether samples are finite: they are read once."""
        weights = np.ascontiguousarray(self._weights())
        n_threads = threads.n_threads(work=X.size * len(weights))
        return linear_scores(X, weights, -(weights @ self.mean_), None, "joint", n_threads)

    def _weights(self) -> np.ndarray:
        if not self.whiten:
            return self.components_
        # A variance of 0, or of no more than rounding, would give infinite values.
        scale = np.sqrt(self.explained_variance_)
        scale = np.maximum(scale, np.finfo(scale.dtype).eps)
        return (self.components_ / scale[:, None]).astype(self.components_.dtype, copy=False)
