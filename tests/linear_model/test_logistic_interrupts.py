"""Ctrl-C during a long fit: KeyboardInterrupt comes, and leaves the model as it was."""

import json
import os
import signal
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(os.name == "nt", reason="a test cannot send Ctrl-C to one process on Windows")

# Nothing ends these fits but the interrupt: no gradient is within the tolerance, and the limits are far away.
SCRIPT = """
import json, warnings
import numpy as np
from fastml.linear_model import LogisticRegression

warnings.simplefilter("ignore")
rng = np.random.default_rng(0)
X = rng.standard_normal((40_000, 100))
y = rng.integers(10, size=len(X))
model = LogisticRegression(solver="{solver}", tol=0, C=1e6, max_iter=10**6, warm_start=True).set_params(max_iter=1)
model.fit(X[:200], y[:200])
model.set_params(max_iter=10**6)
state = dict(vars(model))
print("started", flush=True)
try:
    while True:
        model.fit(X, y)
        vars(model).clear()
        vars(model).update(state)
except KeyboardInterrupt:
    unchanged = vars(model).keys() == state.keys() and all(vars(model)[name] is state[name] for name in state)
usable = model.set_params(max_iter=5).fit(X[:300], y[:300]).n_iter_[0] <= 5
print(json.dumps([unchanged, bool(usable)]))
"""


@pytest.mark.parametrize("solver", ["lbfgs", "newton-cg", "newton-cholesky"])
def test_interrupt(solver):
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(solver=solver)],
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
    assert json.loads(answer.splitlines()[-1]) == [True, True]
