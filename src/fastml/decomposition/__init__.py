"""Decompositions of matrices: principal components, truncated singular values."""

__all__: list[str] = []
