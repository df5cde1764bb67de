"""Nearest neighbours with scikit-learn: classification, regression, outliers, graphs, and the way to a good k.

A plain scikit-learn script on bundled data (handwritten digits, enlarged by shifted copies; breast cancer). Each step
prints how long it took and how good it is; ``--output FILE`` writes the same, with the predictions, as JSON.

    python nearest_neighbors.py
    python nearest_neighbors.py --only LocalOutlierFactor --output results.json
"""

import argparse
import json
import time

import numpy as np
from scipy.sparse.csgraph import connected_components
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.neighbors import (
    KNeighborsClassifier,
    KNeighborsRegressor,
    LocalOutlierFactor,
    NearestNeighbors,
    RadiusNeighborsClassifier,
    kneighbors_graph,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

CANCER = load_breast_cancer()
STEPS = []


def shifted_digits():
    """Return the digits and copies moved by one pixel to each side, as float32: 8985 images of 64 pixels."""
    images, labels = load_digits(return_X_y=True)
    images = images.reshape(-1, 8, 8)
    moved = [images] + [np.roll(images, shift, axis) for axis in (1, 2) for shift in (-1, 1)]
    return np.concatenate(moved).reshape(-1, 64).astype(np.float32), np.tile(labels, 5)


DIGITS, LABELS = shifted_digits()


def step(estimator, title):
    """Add a function to the steps; it returns a score and the labels."""

    def add(function):
        STEPS.append((estimator, title, function))
        return function

    return add


def split(X, y):
    return train_test_split(X, y, test_size=0.3, random_state=0, stratify=y)


@step("KNeighborsClassifier", "5 neighbours among digits")
def digits():
    X, X_test, y, y_test = split(DIGITS, LABELS)
    model = KNeighborsClassifier().fit(X, y)
    return {"score": model.score(X_test, y_test), "labels": model.predict(X_test)}


@step("KNeighborsClassifier", "k, weights and metric by grid search")
def search():
    X, X_test, y, y_test = split(DIGITS[:3000], LABELS[:3000])
    grid = {"n_neighbors": [1, 3, 5, 9], "weights": ["uniform", "distance"], "metric": ["euclidean", "manhattan"]}
    model = GridSearchCV(KNeighborsClassifier(), grid, cv=4).fit(X, y)
    return {"score": model.score(X_test, y_test), "labels": model.predict(X_test)}


@step("KNeighborsClassifier", "scaled measurements, 10 folds")
def cancer():
    model = make_pipeline(StandardScaler(), KNeighborsClassifier(n_neighbors=9))
    scores = cross_val_score(model, CANCER.data, CANCER.target, cv=10)
    return {"score": scores.mean(), "labels": np.round(1000 * scores).astype(int)}


@step("KNeighborsRegressor", "the lower half of a digit from its upper half")
def completion():
    X, X_test, _, _ = split(DIGITS, LABELS)
    model = KNeighborsRegressor(weights="distance").fit(X[:, :32], X[:, 32:])
    lower = model.predict(X_test[:, :32])
    return {"score": r2_score(X_test[:, 32:], lower), "labels": np.round(lower).astype(int).ravel()}


@step("RadiusNeighborsClassifier", "votes within a radius")
def within():
    X, X_test, y, y_test = split(CANCER.data[:, :2], CANCER.target)
    model = RadiusNeighborsClassifier(radius=3.0, outlier_label="most_frequent").fit(X, y)
    return {"score": model.score(X_test, y_test), "labels": model.predict(X_test)}


@step("LocalOutlierFactor", "digits unlike the others")
def outliers():
    X = DIGITS[:4000].copy()
    X[:10] = 16 - X[:10]  # negatives, too few to be neighbours of one another only
    model = LocalOutlierFactor(n_neighbors=20, contamination=0.01)
    labels = model.fit_predict(X)
    return {"score": float(np.mean(labels[:10] == -1)), "labels": labels}


@step("NearestNeighbors", "distances to 10 neighbours in three dimensions")
def low_dimension():
    X = np.random.default_rng(0).standard_normal((60_000, 3), dtype=np.float32)
    distances, indices = NearestNeighbors(n_neighbors=10).fit(X).kneighbors(X[:20_000])
    return {"score": distances.mean(), "labels": indices.ravel()}


@step("kneighbors_graph", "components of a graph of neighbours")
def graph():
    links = kneighbors_graph(DIGITS[:4000], 3)
    count, labels = connected_components(links, directed=False)
    return {"score": float(count), "labels": labels}


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
