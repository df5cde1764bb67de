"""scikit-learn's estimators, the same models, many times sooner on CPUs."""

__version__ = "0.1.0"
