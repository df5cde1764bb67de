"""What DBSCAN needs beyond its samples: O(samples), however many neighbours they have."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peaks are read from Linux' /proc")

SCRIPT = """
import json, re
import numpy as np
from {package}.cluster import DBSCAN

def kilobytes(field):
    return int(re.search(field + r":\\s+(\\d+) kB", open("/proc/self/status").read())[1])

X = np.random.default_rng(0).standard_normal({shape})
# What runs for the first time loads code and starts threads.
DBSCAN({parameters}).fit(X[:500])
resident = kilobytes("VmRSS")
assert kilobytes("VmHWM") <= 1.05 * resident + 2000, "the peak must not be that of the preparation"
model = DBSCAN({parameters}).fit(X)
assert (model.labels_ == 0).mean() > 0.9, "a dense case"
print(json.dumps((kilobytes("VmHWM") - resident) * 1024))
"""


def growth(package, shape, parameters):
    script = SCRIPT.format(package=package, shape=shape, parameters=parameters)
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return json.loads(run.stdout)


# Where each sample has about a thousand neighbours, or all others.
DENSE = {
    "few features": ((10_000, 2), "eps=0.7, min_samples=10"),
    "many features": ((8_000, 20), "eps=6, min_samples=10"),
}


@pytest.mark.parametrize("name", DENSE)
def test_a_tenth_of_scikit_learn_s_at_most(name):
    ours, stock = (growth(package, *DENSE[name]) for package in ("fastml", "sklearn"))
    assert stock > 50e6, "a case that takes memory"
    assert ours <= 0.1 * stock
    print(f"{ours / 1e6:.1f} MB, scikit-learn {stock / 1e6:.1f} MB")


@pytest.mark.parametrize(("features", "most"), [(2, 250), (12, 600)])
def test_bytes_a_sample(features, most):
    """A tree or an ordered copy, and some numbers a sample; the components are a copy of X."""
    samples = 400_000 if features == 2 else 60_000
    assert growth("fastml", (samples, features), "eps=1e3, min_samples=10") <= most * samples + 4e6
