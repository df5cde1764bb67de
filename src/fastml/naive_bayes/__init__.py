"""Naive Bayes classifiers."""

from fastml.naive_bayes._gaussian import GaussianNB

__all__ = ["GaussianNB"]
