"""Decompositions of matrices: principal components, truncated singular values."""

from fastml.decomposition._incremental_pca import IncrementalPCA
from fastml.decomposition._pca import PCA
from fastml.decomposition._truncated_svd import TruncatedSVD

__all__ = ["PCA", "IncrementalPCA", "TruncatedSVD"]
