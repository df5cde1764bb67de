"""Ctrl-C during long work: KeyboardInterrupt comes soon, and leaves the model as it was."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.skipif(os.name == "nt", reason="a test cannot send Ctrl-C to one process on Windows")

# The aim is 0.2 s. A machine that runs other things besides is given more; the work would go on for minutes.
LATEST = 10.0

SCRIPT = """
import json, sys, time
import numpy as np
import fastml
from fastml.cluster import DBSCAN, KMeans, MiniBatchKMeans, kmeans_plusplus

rng = np.random.default_rng(0)
X = rng.standard_normal({shape}, dtype=np.{dtype})
{before}
state = vars(model).copy() if model is not None else None
print("started", flush=True)
try:
    {work}
    answer = {{"finished": True}}
except KeyboardInterrupt:
    answer = {{"raised_at": time.monotonic(), "finished": False}}
if model is not None:
    answer["unchanged"] = vars(model).keys() == state.keys() and all(vars(model)[name] is state[name] for name in state)
    # The interrupted fit left nothing behind that a further one would stumble over.
    if isinstance(model, DBSCAN):
        model.set_params(metric="euclidean")
    else:
        model.set_params(n_clusters=3, max_iter=5, init="k-means++")
    fits = model.fit(X[:100])
    answer["usable"] = len(fits.labels_) == 100
print(json.dumps(answer))
"""

LONG_FIT = "KMeans(200, init='random', n_init=1, tol=0, max_iter=10_000)"
WORK = {
    "fit": {"before": f"model = {LONG_FIT}", "work": "model.fit(X)"},
    "fit of a fitted model": {"before": f"model = {LONG_FIT}.fit(X[:300])", "work": "model.fit(X)"},
    "verbose fit": {
        "before": f"model = {LONG_FIT}.set_params(verbose=1)",
        "work": "import io, contextlib\n    with contextlib.redirect_stdout(io.StringIO()): model.fit(X)",
    },
    "fit on one thread": {
        "before": f"model = {LONG_FIT}",
        "work": "with fastml.config_context(n_threads=1): model.fit(X)",
    },
    "fit of float64": {"before": f"model = {LONG_FIT}", "work": "model.fit(X)", "dtype": "float64"},
    "fit of sparse rows": {
        "before": f"import scipy.sparse as sp\nmodel = {LONG_FIT}\nX = sp.csr_matrix(np.where(np.abs(X) < 1, 0, X))",
        "work": "model.fit(X)",
    },
    "many clusters": {
        "before": f"model = {LONG_FIT}.set_params(n_clusters=5000)",
        "work": "model.fit(X)",
    },
    "k-means++": {"before": "model = KMeans(4000, n_init=1)", "work": "model.fit(X)"},
    "kmeans_plusplus": {
        "before": "model = None",
        "work": "kmeans_plusplus(X, 1000, n_local_trials=20)",
        "shape": (1_000_000, 20),
    },
    "mini-batches": {
        "before": "model = MiniBatchKMeans(200, max_iter=10_000, max_no_improvement=None)",
        "work": "model.fit(X)",
    },
    "large mini-batches": {
        "before": "model = MiniBatchKMeans(2000, init='random', batch_size=200_000, max_no_improvement=None)",
        "work": "model.fit(X)",
    },
    "predict": {
        "before": "model = KMeans(2000, init='random', n_init=1, max_iter=1).fit(X[:4000])",
        "work": "for _ in range(1000): model.predict(X)",
    },
    "transform": {
        "before": "model = KMeans(50, init='random', n_init=1, max_iter=1).fit(X[:4000])",
        "work": "for _ in range(1000): model.transform(X)",
    },
    "DBSCAN of few features": {
        "before": "model = DBSCAN(eps=3, min_samples=300_000)",
        "work": "model.fit(X)",
        "shape": (400_000, 3),
    },
    "DBSCAN of many features": {"before": "model = DBSCAN(eps=1, min_samples=5)", "work": "model.fit(X)"},
    "DBSCAN of a fitted model, on one thread": {
        "before": "model = DBSCAN(metric='manhattan').fit(X[:100])",
        "work": "with fastml.config_context(n_threads=1): model.fit(X)",
    },
    "DBSCAN of given distances": {
        "before": "X = np.abs(X)\nmodel = DBSCAN()",
        "work": "for _ in range(1000): DBSCAN(eps=9, min_samples=9000, metric='precomputed').fit(X)",
        "shape": (10_000, 10_000),
    },
}


@pytest.mark.parametrize("name", WORK)
def test_ctrl_c(name):
    parameters = {"shape": (400_000, 50), "dtype": "float32", **WORK[name]}
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(**parameters)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout.readline() == "started\n", process.stderr.read()
            time.sleep(0.7)  # validation is over, and the work has begun
            sent_at = time.monotonic()  # one clock for all processes
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == 0, err
    answer = json.loads(out.splitlines()[-1])
    assert not answer["finished"], "the work was over before the signal came"
    assert answer["raised_at"] - sent_at < LATEST
    assert answer.get("unchanged", True)
    assert answer.get("usable", True)
    print(f"KeyboardInterrupt after {answer['raised_at'] - sent_at:.3f} s")
