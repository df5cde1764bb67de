"""Clustering: the k-means family and DBSCAN."""

from fastml.cluster._dbscan import DBSCAN, dbscan
from fastml.cluster._functions import k_means, kmeans_plusplus
from fastml.cluster._kmeans import KMeans
from fastml.cluster._minibatch_kmeans import MiniBatchKMeans

__all__ = ["DBSCAN", "KMeans", "MiniBatchKMeans", "dbscan", "k_means", "kmeans_plusplus"]
