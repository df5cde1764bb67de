"""Decompositions of matrices: principal components, truncated singular values."""

from fastml.decomposition._pca import PCA

__all__ = ["PCA"]
