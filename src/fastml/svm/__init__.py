"""Support vector machines."""

from fastml.svm._kernel_machines import SVC, SVR, NuSVC, NuSVR, OneClassSVM
from fastml.svm._linear import LinearSVC, LinearSVR

__all__ = ["SVC", "SVR", "LinearSVC", "LinearSVR", "NuSVC", "NuSVR", "OneClassSVM"]
