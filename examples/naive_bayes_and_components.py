"""Naive Bayes and decompositions with scikit-learn: texts, streams, categories, images, one row at a time.

A plain scikit-learn script on bundled data (paragraphs of scikit-learn's own source, to be told by the package they are
from; handwritten digits) and drawn samples. Each step prints how long it took and how good it is; ``--output FILE``
writes the same, with the predictions, as JSON.

    python naive_bayes_and_components.py
    python naive_bayes_and_components.py --only MultinomialNB --output results.json
"""

import argparse
import json
import time
from functools import cache
from pathlib import Path

import numpy as np
import sklearn
from sklearn.datasets import load_digits, make_classification
from sklearn.decomposition import PCA, IncrementalPCA, TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.model_selection import GridSearchCV, cross_val_predict, train_test_split
from sklearn.naive_bayes import BernoulliNB, CategoricalNB, ComplementNB, GaussianNB, MultinomialNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

PACKAGES = (
    "cluster",
    "ensemble",
    "feature_extraction",
    "linear_model",
    "metrics",
    "model_selection",
    "neighbors",
    "svm",
)
LEAST_WORDS = 8  # of a paragraph
DIGITS, LABELS = load_digits(return_X_y=True)
STEPS = []


def step(estimator, title):
    """Add a function to the steps; it returns a score and the labels."""

    def add(function):
        STEPS.append((estimator, title, function))
        return function

    return add


@cache
def words():
    """Return the words of paragraphs, counted, and the package that each is from, in two parts."""
    folder = Path(sklearn.__file__).parent
    texts, packages = [], []
    for number, package in enumerate(PACKAGES):
        for file in sorted((folder / package).glob("*.py")):
            paragraphs = file.read_text(encoding="utf-8").split("\n\n")
            long = [paragraph for paragraph in paragraphs if len(paragraph.split()) >= LEAST_WORDS]
            texts += long
            packages += [number] * len(long)
    counts = CountVectorizer(min_df=2).fit_transform(texts)
    return split(counts, np.array(packages))


def split(X, y):
    return train_test_split(X, y, test_size=0.3, random_state=0, stratify=y)


def classification(model, train, test, y_train, y_test):
    labels = model.fit(train, y_train).predict(test)
    return {"score": np.mean(labels == y_test), "labels": labels}


@step("MultinomialNB", "texts: weights of words, a grid of 12, 5 folds")
def grid_search():
    model = make_pipeline(TfidfTransformer(), MultinomialNB())
    grid = {"tfidftransformer__use_idf": [True, False], "multinomialnb__alpha": [0.003, 0.01, 0.03, 0.1, 0.3, 1.0]}
    return classification(GridSearchCV(model, grid, cv=5), *words())


@step("ComplementNB", "texts: a grid of 20, 5 folds")
def complement():
    grid = {"alpha": np.logspace(-2, 1, 10), "norm": [False, True]}
    return classification(GridSearchCV(ComplementNB(), grid, cv=5), *words())


@step("BernoulliNB", "texts: which words there are, 20 folds")
def presence():
    X, _, y, _ = words()
    labels = cross_val_predict(BernoulliNB(alpha=0.01), X, y, cv=20)
    return {"score": np.mean(labels == y), "labels": labels}


@step("MultinomialNB", "a stream of 1,000 batches of counts")
def stream():
    rng = np.random.default_rng(0)
    rates = rng.exponential(2, size=100) * rng.uniform(0.8, 1.2, size=(6, 100))
    y = rng.integers(6, size=52_000)
    X = rng.poisson(rates[y])
    model = MultinomialNB()
    for first in range(0, 50_000, 50):
        batch = slice(first, first + 50)
        model.partial_fit(X[batch], y[batch], classes=np.arange(6))
    labels = model.predict(X[50_000:])
    return {"score": np.mean(labels == y[50_000:]), "labels": labels}


@step("CategoricalNB", "digits: 17 shades of grey a pixel, 50 folds")
def shades():
    labels = cross_val_predict(CategoricalNB(min_categories=17), DIGITS.astype(int), LABELS, cv=50)
    return {"score": np.mean(labels == LABELS), "labels": labels}


@step("GaussianNB", "200,000 samples of 5 classes")
def gaussians():
    X, y = make_classification(200_000, 40, n_informative=20, n_classes=5, random_state=0)
    return classification(GaussianNB(), *split(X, y))


@step("GaussianNB", "digits, one row at a time")
def one_row_at_a_time():
    train, test, y_train, y_test = split(DIGITS, LABELS)
    model = GaussianNB(var_smoothing=1e-2).fit(train, y_train)
    labels = np.array([model.predict(row.reshape(1, -1))[0] for row in test])
    return {"score": np.mean(labels == y_test), "labels": labels}


@step("TruncatedSVD", "texts: 100 topics, the nearest texts by them")
def topics():
    model = make_pipeline(
        TfidfTransformer(), TruncatedSVD(100, random_state=0), KNeighborsClassifier(weights="distance")
    )
    return classification(model, *words())


@step("PCA", "digits: how many components, grid of 8, 5 folds")
def components():
    search = GridSearchCV(make_pipeline(PCA(), KNeighborsClassifier(3)), {"pca__n_components": range(8, 40, 4)}, cv=5)
    return classification(search, *split(DIGITS, LABELS))


@step("PCA", "100,000 samples of 100 features")
def tall():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(100_000, 25)) @ rng.normal(size=(25, 100)) + rng.normal(size=(100_000, 100))
    model = PCA(20).fit(X)
    return {
        "score": model.explained_variance_ratio_.sum(),
        "labels": np.round(1000 * np.abs(model.transform(X[:500]))).astype(int).ravel(),
    }


@step("IncrementalPCA", "50,000 samples of 60 features, batch by batch")
def batches():
    rng = np.random.default_rng(2)
    X = rng.normal(size=(50_000, 12)) @ rng.normal(size=(12, 60)) + rng.normal(size=(50_000, 60))
    model = IncrementalPCA(10, batch_size=1000).fit(X)
    return {
        "score": model.explained_variance_ratio_.sum(),
        "labels": np.round(1000 * np.abs(model.transform(X[:500]))).astype(int).ravel(),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="NAME", help="only steps of this estimator")
    parser.add_argument("--output", metavar="FILE", help="write results as JSON")
    options = parser.parse_args()

    words()  # the reading and counting of texts is no step
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
