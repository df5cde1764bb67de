"""Naive Bayes classifiers."""

__all__: list[str] = []
