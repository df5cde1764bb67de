"""Naive Bayes classifiers."""

from fastml.naive_bayes._bernoulli import BernoulliNB
from fastml.naive_bayes._categorical import CategoricalNB
from fastml.naive_bayes._complement import ComplementNB
from fastml.naive_bayes._gaussian import GaussianNB
from fastml.naive_bayes._multinomial import MultinomialNB

__all__ = ["BernoulliNB", "CategoricalNB", "ComplementNB", "GaussianNB", "MultinomialNB"]
