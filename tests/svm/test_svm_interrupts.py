"""Ctrl-C during a long prediction: KeyboardInterrupt comes, and the model can be used on."""

import os
import signal
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(os.name == "nt", reason="a test cannot send Ctrl-C to one process on Windows")

# 10^11 values of the kernel: minutes, unless the prediction stops.
SCRIPT = """
import numpy as np
from fastml.svm import SVR

rng = np.random.default_rng(0)
model = SVR().fit(rng.standard_normal((50, 8)), rng.standard_normal(50))
model.support_vectors_ = rng.standard_normal((100_000, 8))
model.support_ = np.arange(100_000, dtype=np.int32)
model._n_support = np.full(2, 100_000, dtype=np.int32)
model._dual_coef_ = rng.standard_normal((1, 100_000))
X = rng.standard_normal((1_000_000, 8))
expected = model.predict(X[:3])
print("started", flush=True)
try:
    model.predict(X)
except KeyboardInterrupt:
    print("usable" if np.allclose(model.predict(X[:3]), expected, rtol=1e-9) else "changed")
"""


def test_interrupt():
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "2"},
    ) as process:
        try:
            assert process.stdout.readline() == "started\n"
            with pytest.raises(subprocess.TimeoutExpired):
                process.communicate(timeout=0.5)
            process.send_signal(signal.SIGINT)
            answer, _ = process.communicate(timeout=30)
        finally:
            process.kill()
    assert answer.splitlines()[-1] == "usable"
