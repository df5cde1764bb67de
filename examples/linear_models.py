"""Linear models with scikit-learn: least squares, ridge, lasso, logistic regression, stochastic gradient descent.

A plain scikit-learn script on bundled data (handwritten digits, breast cancer, diabetes) and drawn samples. Each step
prints how long it took and how good it is; ``--output FILE`` writes the same, with the predictions, as JSON.

    python linear_models.py
    python linear_models.py --only LogisticRegression --output results.json
"""

import argparse
import json
import time

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, make_classification, make_regression
from sklearn.linear_model import (
    ElasticNet,
    LassoCV,
    LinearRegression,
    LogisticRegression,
    Perceptron,
    Ridge,
    RidgeCV,
    SGDClassifier,
    SGDRegressor,
)
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

CANCER = load_breast_cancer()
DIABETES = load_diabetes()
DIGITS, LABELS = load_digits(return_X_y=True)
STEPS = []


def step(estimator, title):
    """Add a function to the steps; it returns a score and the labels."""

    def add(function):
        STEPS.append((estimator, title, function))
        return function

    return add


def split(X, y):
    return train_test_split(X, y, test_size=0.3, random_state=0)


def regression(model, X, y):
    """Return the score of a regression and its predictions, in thousandths of their spread."""
    X, X_test, y, y_test = split(X, y)
    predicted = model.fit(X, y).predict(X_test)
    return {"score": model.score(X_test, y_test), "labels": np.round(1000 * predicted / y.std()).astype(int)}


def classification(model, X, y):
    X, X_test, y, y_test = split(X, y)
    model.fit(X, y)
    return {"score": model.score(X_test, y_test), "labels": model.predict(X_test)}


@step("LinearRegression", "least squares, 100,000 samples of 40 features")
def least_squares():
    X, y = make_regression(100_000, 40, n_informative=20, noise=30, random_state=0)
    return regression(LinearRegression(), X, y)


@step("Ridge", "the penalty by grid search, pairs of features")
def ridge():
    model = make_pipeline(PolynomialFeatures(2), StandardScaler(), Ridge())
    search = GridSearchCV(model, {"ridge__alpha": np.logspace(-1, 3, 9)}, cv=5)
    return regression(search, DIABETES.data, DIABETES.target)


@step("RidgeCV", "the penalty by leaving one out")
def leave_one_out():
    X, y = make_regression(5_000, 60, n_informative=10, noise=50, random_state=1)
    return regression(RidgeCV(np.logspace(-2, 4, 13)), X, y)


@step("LassoCV", "which of 200 features matter")
def lasso():
    X, y = make_regression(4_000, 200, n_informative=12, noise=40, random_state=2)
    return regression(LassoCV(cv=5), X, y)


@step("ElasticNet", "both penalties, correlated pairs of features")
def elastic_net():
    model = make_pipeline(PolynomialFeatures(2), StandardScaler(), ElasticNet(alpha=0.5, l1_ratio=0.7))
    return regression(model, DIABETES.data, DIABETES.target)


@step("LogisticRegression", "digits")
def logistic():
    return classification(make_pipeline(StandardScaler(), LogisticRegression(C=0.05)), DIGITS, LABELS)


@step("LogisticRegression", "scaled measurements, 10 folds")
def cancer():
    scores = cross_val_score(make_pipeline(StandardScaler(), LogisticRegression()), CANCER.data, CANCER.target, cv=10)
    return {"score": scores.mean(), "labels": np.round(1000 * scores).astype(int)}


@step("SGDClassifier", "hinge loss, 40,000 samples of 4 classes")
def hinge():
    X, y = make_classification(40_000, 30, n_informative=15, n_classes=4, random_state=3)
    return classification(SGDClassifier(random_state=0), X, y)


@step("SGDRegressor", "least squares sample by sample")
def sgd():
    X, y = make_regression(40_000, 30, noise=20, random_state=4)
    return regression(SGDRegressor(random_state=0), X, y)


@step("Perceptron", "digits")
def perceptron():
    return classification(Perceptron(random_state=0), DIGITS, LABELS)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="NAME", help="only steps of this estimator")
    parser.add_argument("--output", metavar="FILE", help="write results as JSON")
    options = parser.parse_args()

    results = []
    for estimator, title, run in STEPS:
        if options.only not in (None, estimator):
            continue
        start = time.perf_counter()
        result = run()
        seconds = time.perf_counter() - start
        print(f"{estimator}, {title}: {seconds:.2f} s, score {result['score']:.4f}", flush=True)
        result["labels"] = result["labels"].tolist()
        results.append({"estimator": estimator, "title": title, "seconds": seconds, **result})
    if options.output:
        with open(options.output, "w", encoding="utf-8") as file:
            json.dump(results, file)


if __name__ == "__main__":
    main()
