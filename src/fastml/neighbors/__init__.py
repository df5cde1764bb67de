"""Nearest neighbours: searches, graphs, classification, regression, outliers."""

from fastml.neighbors._graph import kneighbors_graph, radius_neighbors_graph
from fastml.neighbors._k_nearest import KNeighborsClassifier, KNeighborsRegressor
from fastml.neighbors._nearest_centroid import NearestCentroid
from fastml.neighbors._outlier_factor import LocalOutlierFactor
from fastml.neighbors._unsupervised import KNeighborsTransformer, NearestNeighbors, RadiusNeighborsTransformer
from fastml.neighbors._within_radius import RadiusNeighborsClassifier, RadiusNeighborsRegressor

__all__ = [
    "KNeighborsClassifier",
    "KNeighborsRegressor",
    "KNeighborsTransformer",
    "LocalOutlierFactor",
    "NearestCentroid",
    "NearestNeighbors",
    "RadiusNeighborsClassifier",
    "RadiusNeighborsRegressor",
    "RadiusNeighborsTransformer",
    "kneighbors_graph",
    "radius_neighbors_graph",
]
