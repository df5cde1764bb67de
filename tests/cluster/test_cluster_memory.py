"""What a fit needs beyond its samples: O(rows + clusters * features)."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peaks are read from Linux' /proc")

SCRIPT = """
import json, re
import numpy as np
import fastml
from fastml.cluster import KMeans, MiniBatchKMeans, kmeans_plusplus

def kilobytes(field):
    return int(re.search(field + r":\\s+(\\d+) kB", open("/proc/self/status").read())[1])

X = np.random.default_rng(0).standard_normal({shape}, dtype=np.{dtype})
{before}
# What runs for the first time loads code and starts threads.
KMeans(8, random_state=0, max_iter=2).fit(X[:50_000]).predict(X[:50_000])
resident = kilobytes("VmRSS")
assert kilobytes("VmHWM") <= 1.05 * resident + 2000, "the peak must not be that of the preparation"
{work}
print(json.dumps({{"growth": (kilobytes("VmHWM") - resident) * 1024, "samples": X.nbytes}}))
"""
# The call, and the most it may take as a share of the samples: 64 bytes a row.
WORK = {
    "k-means++": ("KMeans(8, random_state=0, max_iter=10).fit(X)", 0.5),
    # NumPy's draw without replacement alone takes 24 bytes a row.
    "random": ("KMeans(8, init='random', n_init=2, random_state=0, max_iter=10).fit(X)", 0.6),
    "elkan": ("KMeans(8, algorithm='elkan', random_state=0, max_iter=10).fit(X)", 0.5),
    "given centres": ("KMeans(8, init=X[:8], max_iter=10).fit(X)", 0.4),
    "mini-batches": ("MiniBatchKMeans(8, random_state=0).fit(X)", 0.5),
    "predict": ("model.predict(X)", 0.2),
    "score": ("model.score(X)", 0.2),
    "fit_predict, many clusters": (
        "KMeans(300, init='random', n_init=1, random_state=0, max_iter=3).fit_predict(X)",
        0.5,
    ),
}


@pytest.mark.parametrize("name", WORK)
def test_growth(name):
    work, most = WORK[name]
    before = "model = KMeans(8, max_iter=1).fit(X[:1000])"
    script = SCRIPT.format(shape=(2_000_000, 16), dtype="float32", before=before, work=work)
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    answer = json.loads(run.stdout)
    assert answer["samples"] == 128_000_000
    assert answer["growth"] < most * answer["samples"]
    print(f"{answer['growth'] / 1e6:.0f} MB beyond {answer['samples'] / 1e6:.0f} MB of samples")
