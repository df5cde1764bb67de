"""Cluster handwritten digits with scikit-learn: restarts, grid search, mini-batches, visual words, features.

A plain scikit-learn script on the bundled digits (1797 images of 8 x 8 pixels). Each step prints how long it took and
how good it is; ``--output FILE`` writes the same, with the labels, as JSON.

    python digits_clustering.py
    python digits_clustering.py --only MiniBatchKMeans --output results.json
"""

import argparse
import json
import time

import numpy as np
from sklearn.cluster import DBSCAN, KMeans, MiniBatchKMeans, kmeans_plusplus
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.feature_extraction.image import extract_patches_2d
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import adjusted_rand_score, pairwise_distances_argmin_min
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, StandardScaler

DIGITS = load_digits()
IMAGES, X, Y = DIGITS.images / 16.0, DIGITS.data / 16.0, DIGITS.target
PATCH = 4

STEPS = []


def step(estimator, title):
    """Add a function to the steps; it returns a score and, where there are any, labels and inertia."""

    def add(function):
        STEPS.append((estimator, title, function))
        return function

    return add


@step("KMeans", "300 restarts, pick the best")
def restarts():
    model = KMeans(n_clusters=10, n_init=300, random_state=0).fit(X)
    return {"score": adjusted_rand_score(Y, model.labels_), "labels": model.labels_, "inertia": model.inertia_}


@step("KMeans", "elbow: 2 to 40 clusters")
def elbow():
    models = [KMeans(n_clusters=k, n_init=10, random_state=0).fit(X) for k in range(2, 41, 2)]
    drop = 1 - models[-1].inertia_ / models[0].inertia_
    return {"score": drop, "labels": models[-1].labels_, "inertia": models[-1].inertia_}


@step("KMeans", "scaler, PCA, k-means: grid search")
def grid_search():
    pipeline = make_pipeline(StandardScaler(), PCA(random_state=0), KMeans(n_init=20, random_state=0))
    grid = {"pca__n_components": [20, 40], "kmeans__n_clusters": [8, 10, 12, 16]}
    search = GridSearchCV(pipeline, grid, cv=3, scoring="adjusted_rand_score").fit(X, Y)
    best = search.best_estimator_[-1]
    return {"score": search.best_score_, "labels": best.labels_, "inertia": best.inertia_}


@step("KMeans", "distances as features of a classifier")
def features():
    train, test, y_train, y_test = train_test_split(X, Y, test_size=0.3, random_state=0, stratify=Y)
    pipeline = make_pipeline(
        PCA(40, random_state=0),
        KMeans(n_clusters=120, n_init=30, random_state=0),
        StandardScaler(),
        LogisticRegression(max_iter=1000),
    ).fit(train, y_train)
    return {"score": pipeline.score(test, y_test), "labels": pipeline.predict(test), "inertia": pipeline[1].inertia_}


@step("KMeans", "codebook of 128 for 45,000 patches")
def codebook():
    patches = all_patches()
    model = KMeans(n_clusters=128, n_init=3, random_state=0).fit(patches)
    explained = 1 - model.inertia_ / ((patches - patches.mean(axis=0)) ** 2).sum()
    return {"score": explained, "labels": model.labels_, "inertia": model.inertia_}


@step("DBSCAN", "45,000 patches at four densities")
def densities():
    patches = all_patches()
    models = [DBSCAN(eps=eps, min_samples=10).fit(patches) for eps in (0.2, 0.25, 0.3, 0.35)]
    return {"score": np.mean(models[2].labels_ >= 0), "labels": np.concatenate([model.labels_ for model in models])}


@step("MiniBatchKMeans", "300 restarts")
def mini_batches():
    model = MiniBatchKMeans(n_clusters=10, batch_size=512, n_init=300, random_state=0).fit(X)
    return {"score": adjusted_rand_score(Y, model.labels_), "labels": model.labels_, "inertia": model.inertia_}


@step("MiniBatchKMeans", "visual words: histograms, classifier")
def visual_words():
    patches = all_patches()
    words = MiniBatchKMeans(n_clusters=64, n_init=50, max_iter=30, random_state=0).fit(patches)
    labels = words.predict(patches)
    histograms = np.stack([np.bincount(row, minlength=64) for row in labels.reshape(len(IMAGES), -1)])
    train, test, y_train, y_test = train_test_split(histograms, Y, test_size=0.3, random_state=0, stratify=Y)
    classifier = make_pipeline(MaxAbsScaler(), LogisticRegression(max_iter=1000)).fit(train, y_train)
    return {"score": classifier.score(test, y_test), "labels": labels, "inertia": words.inertia_}


@step("MiniBatchKMeans", "a stream: partial_fit on 500 batches")
def stream():
    patches, rng = all_patches(), np.random.default_rng(0)
    model = MiniBatchKMeans(n_clusters=64, random_state=0)
    for _ in range(500):
        model.partial_fit(patches[rng.integers(len(patches), size=1024)])
    inertia = -model.score(patches)
    explained = 1 - inertia / ((patches - patches.mean(axis=0)) ** 2).sum()
    return {"score": explained, "labels": model.predict(patches), "inertia": inertia}


@step("kmeans_plusplus", "300 spread-out digits, 20 draws")
def prototypes():
    drawn = [kmeans_plusplus(X, 300, random_state=seed)[1] for seed in range(20)]
    closest, distances = pairwise_distances_argmin_min(X, X[drawn[0]])
    return {"score": np.mean(Y[drawn[0]][closest] == Y), "labels": np.concatenate(drawn), "inertia": sum(distances**2)}


def all_patches():
    """Give all 4 x 4 patches of all images as rows of principal components.

    Pixels have 17 grey levels, so that many patches are exactly as far from one centre as from another, and rounding
    decides. Ten components hold most of the variance and no such ties.
    """
    patches = np.concatenate([extract_patches_2d(image, (PATCH, PATCH)) for image in IMAGES])
    return PCA(10, random_state=0).fit_transform(patches.reshape(-1, PATCH * PATCH))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="NAME", help="run the steps of this estimator")
    parser.add_argument("--output", metavar="FILE", help="write the results as JSON")
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
