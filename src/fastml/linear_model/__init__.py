"""Linear models: least squares, logistic regression, coordinate descent, stochastic gradient descent."""

__all__: list[str] = []
