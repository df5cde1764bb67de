"""What a fit keeps of the kernel matrix: no more than `cache_size`, in megabytes of 2^20 bytes, as LIBSVM takes it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peaks are read from Linux' /proc")

# The whole matrix would take 4 bytes for each of 6000 x 6000 pairs: 144 MB. Nearly all samples are support vectors, so
# that a fit reads all of its rows.
SCRIPT = """
import json, re, warnings
import numpy as np
from fastml.svm import SVC, SVR, OneClassSVM

def kilobytes(field):
    return int(re.search(field + r":\\s+(\\d+) kB", open("/proc/self/status").read())[1])

rng = np.random.default_rng(0)
X = rng.standard_normal((6000, 10))
y = rng.integers(2, size=len(X))
model = {model}
# What runs for the first time loads code and starts threads.
type(model)(gamma=1.0).fit(X[:100], y[:100]).predict(X[:100])
resident = kilobytes("VmRSS")
assert kilobytes("VmHWM") <= 1.05 * resident + 2000, "the peak must not be that of the preparation"
warnings.simplefilter("ignore")
model.fit(X, y)
print(json.dumps({{"growth": (kilobytes("VmHWM") - resident) / 1024, "vectors": len(model.support_)}}))
"""


def growth(model):
    run = subprocess.run([sys.executable, "-c", SCRIPT.format(model=model)], capture_output=True, text=True, check=True)
    answer = json.loads(run.stdout)
    assert answer["vectors"] > 5000
    return answer["growth"]


# Beside the cache there are the samples once more, packed, their support vectors, and some numbers a sample.
BESIDE = 16


@pytest.mark.parametrize(("estimator", "cache_size"), [("SVC", 1), ("SVR", 40)])
def test_the_cache_is_bounded(estimator, cache_size):
    seen = growth(f"{estimator}(gamma=1.0, C=10.0, max_iter=8000, cache_size={cache_size})")
    assert seen < cache_size + BESIDE, f"{seen:.0f} MB beyond {cache_size} MB and {BESIDE} MB"
