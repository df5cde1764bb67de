"""Ctrl-C during a long fit: KeyboardInterrupt comes, and leaves the model as it was."""

import json
import os
import signal
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(os.name == "nt", reason="a test cannot send Ctrl-C to one process on Windows")

SCRIPT = """
import json
import numpy as np
from fastml.decomposition import PCA, IncrementalPCA

rng = np.random.default_rng(0)
X = rng.standard_normal((20_000, 100))
model = {model}
model.fit(X[:2000])
state = dict(vars(model))
print("started", flush=True)
try:
    while True:
        model.fit(X)
        vars(model).clear()
        vars(model).update(state)
except KeyboardInterrupt:
    unchanged = vars(model).keys() == state.keys() and all(vars(model)[name] is state[name] for name in state)
usable = model.fit(X[:2000]).components_.shape == (3, 100)
print(json.dumps([unchanged, bool(usable)]))
"""


@pytest.mark.parametrize("model", ["PCA(3)", "IncrementalPCA(3, batch_size=200)"])
def test_interrupt(model):
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(model=model)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "2"},
    ) as process:
        try:
            assert process.stdout.readline() == "started\n"
            with pytest.raises(subprocess.TimeoutExpired):
                process.communicate(timeout=0.3)
            process.send_signal(signal.SIGINT)
            answer, _ = process.communicate(timeout=30)
        finally:
            process.kill()
    assert json.loads(answer.splitlines()[-1]) == [True, True]
