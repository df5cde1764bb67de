"""Clustering: the k-means family."""

from fastml.cluster._functions import k_means, kmeans_plusplus
from fastml.cluster._kmeans import KMeans
from fastml.cluster._minibatch_kmeans import MiniBatchKMeans

__all__ = ["KMeans", "MiniBatchKMeans", "k_means", "kmeans_plusplus"]
