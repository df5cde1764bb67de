"""Kernel machines: scikit-learn's, on our solver and our decisions."""

import sklearn.svm

from fastml._support.dispatch import accelerated
from fastml.svm._fitting import Fitting
from fastml.svm._predicting import Predicting, PredictingClasses, PredictingInliers


class SVC(PredictingClasses, Fitting, sklearn.svm.SVC):
    __doc__ = sklearn.svm.SVC.__doc__


class NuSVC(PredictingClasses, Fitting, sklearn.svm.NuSVC):
    __doc__ = sklearn.svm.NuSVC.__doc__


class SVR(Predicting, Fitting, sklearn.svm.SVR):
    __doc__ = sklearn.svm.SVR.__doc__


class NuSVR(Predicting, Fitting, sklearn.svm.NuSVR):
    __doc__ = sklearn.svm.NuSVR.__doc__


class OneClassSVM(PredictingInliers, Fitting, sklearn.svm.OneClassSVM):
    __doc__ = sklearn.svm.OneClassSVM.__doc__

    @accelerated()
    def fit(self, X, y=None, sample_weight=None):
        return super().fit(X, y, sample_weight)


# `accelerated` finds no text where a mixin stands before scikit-learn's class.
Fitting.fit.__doc__ = sklearn.svm.SVC.fit.__doc__
OneClassSVM.fit.__doc__ = sklearn.svm.OneClassSVM.fit.__doc__
