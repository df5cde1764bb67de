"""Ctrl-C during a long fit: KeyboardInterrupt comes, and leaves the machine as it was."""

import json
import os
import signal
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(os.name == "nt", reason="a test cannot send Ctrl-C to one process on Windows")

# Classes drawn at random, and a large penalty: the fits would go on for minutes.
SCRIPT = """
import json, warnings
import numpy as np
import scipy.sparse as sp
import fastml
from fastml.svm import SVC, SVR

warnings.simplefilter("ignore")
rng = np.random.default_rng(0)
X = rng.standard_normal((20_000, 20))
y = rng.integers({classes}, size=len(X))
model = {model}
model.fit(X[:200], y[:200])
state = dict(vars(model))
{before}
print("started", flush=True)
try:
    while True:
        {work}
        vars(model).clear()
        vars(model).update(state)
except KeyboardInterrupt:
    unchanged = vars(model).keys() == state.keys() and all(vars(model)[name] is state[name] for name in state)
usable = model.fit(X[:300], y[:300]).predict(X[:10]).shape == (10,)
print(json.dumps([unchanged, bool(usable)]))
"""

WORK = {
    "two classes": {"model": "SVC(C=1e4)"},
    "pairs of classes": {"model": "SVC(C=1e4)", "classes": 8},
    "CSR, one thread": {
        "model": "SVR(C=1e4)",
        "before": "X = sp.csr_array(np.where(X < 1, 0, X))",
        "work": "with fastml.config_context(n_threads=1): model.fit(X, y)",
    },
}


@pytest.mark.parametrize("name", WORK)
def test_interrupt(name):
    parts = {"classes": 2, "before": "", "work": "model.fit(X, y)", **WORK[name]}
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(**parts)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "2"},
    ) as process:
        try:
            assert process.stdout.readline() == "started\n"
            with pytest.raises(subprocess.TimeoutExpired):
                process.communicate(timeout=0.5)
            process.send_signal(signal.SIGINT)
            answer, _ = process.communicate(timeout=60)
        finally:
            process.kill()
    assert json.loads(answer.splitlines()[-1]) == [True, True]
