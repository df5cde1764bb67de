"""Kernel machines: scikit-learn's, on our solver."""

import sklearn.svm

from fastml._support.dispatch import accelerated
from fastml.svm._fitting import Fitting


class SVC(Fitting, sklearn.svm.SVC):
    __doc__ = sklearn.svm.SVC.__doc__


class NuSVC(Fitting, sklearn.svm.NuSVC):
    __doc__ = sklearn.svm.NuSVC.__doc__


class SVR(Fitting, sklearn.svm.SVR):
    __doc__ = sklearn.svm.SVR.__doc__


class NuSVR(Fitting, sklearn.svm.NuSVR):
    __doc__ = sklearn.svm.NuSVR.__doc__


class OneClassSVM(Fitting, sklearn.svm.OneClassSVM):
    __doc__ = sklearn.svm.OneClassSVM.__doc__

    @accelerated()
    def fit(self, X, y=None, sample_weight=None):
        return super().fit(X, y, sample_weight)
