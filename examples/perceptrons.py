"""Multilayer perceptrons with scikit-learn: classes, values, early stopping, grid search, solvers.

A plain scikit-learn script on bundled data (handwritten digits, diabetes) and drawn samples. Each step prints how long
it took and how good it is; ``--output FILE`` writes the same, with the predictions, as JSON.

    python perceptrons.py
    python perceptrons.py --only MLPRegressor --output results.json
"""

import argparse
import json
import time
import warnings

import numpy as np
from sklearn.datasets import load_diabetes, load_digits, make_friedman1
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

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
    """Return the score of a regression and its predictions, in hundredths of their spread."""
    X, X_test, y, y_test = split(X, y)
    predicted = model.fit(X, y).predict(X_test)
    return {"score": model.score(X_test, y_test), "labels": np.round(100 * predicted / y.std()).astype(int)}


def classification(model, X, y):
    X, X_test, y, y_test = split(X, y)
    model.fit(X, y)
    return {"score": model.score(X_test, y_test), "labels": model.predict(X_test)}


@step("MLPClassifier", "digits, default network")
def digits():
    return classification(MLPClassifier(random_state=0, max_iter=60), DIGITS / 16, LABELS)


@step("MLPClassifier", "digits, two layers, small batches, early stopping")
def early_stopping():
    model = MLPClassifier((128, 64), batch_size=32, early_stopping=True, random_state=0)
    return classification(model, DIGITS / 16, LABELS)


@step("MLPClassifier", "width and penalty by grid search")
def grid_search():
    model = make_pipeline(StandardScaler(), MLPClassifier(max_iter=30, random_state=0))
    grid = {"mlpclassifier__hidden_layer_sizes": [(16,), (64,)], "mlpclassifier__alpha": [1e-4, 1e-1]}
    return classification(GridSearchCV(model, grid, cv=3), DIGITS, LABELS)


@step("MLPRegressor", "20,000 samples, two layers")
def values():
    X, y = make_friedman1(20_000, noise=1, random_state=0)
    model = make_pipeline(StandardScaler(), MLPRegressor(hidden_layer_sizes=(64, 32), max_iter=20, random_state=0))
    return regression(model, X, y)


@step("MLPRegressor", "diabetes, L-BFGS")
def diabetes():
    network = MLPRegressor(hidden_layer_sizes=(10,), solver="lbfgs", alpha=10, max_iter=50, random_state=0)
    model = make_pipeline(StandardScaler(), network)
    return regression(model, DIABETES.data, DIABETES.target / DIABETES.target.std())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="NAME", help="only steps of this estimator")
    parser.add_argument("--output", metavar="FILE", help="write results as JSON")
    options = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)  # steps end after the epochs that they are given

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
