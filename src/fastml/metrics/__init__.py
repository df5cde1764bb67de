"""Functions of pairs of samples."""

from fastml.metrics._pairwise import pairwise_distances_argmin, pairwise_distances_argmin_min

__all__ = ["pairwise_distances_argmin", "pairwise_distances_argmin_min"]
