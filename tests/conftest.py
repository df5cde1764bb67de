"""Settings that hold for tests of estimators."""

import signal

import pytest

import fastml


def pytest_configure(config):
    """Let tests of Ctrl-C be interrupted: pytest-xdist's processes are started to ignore it."""
    if hasattr(config, "workerinput"):
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def no_fallback(monkeypatch):
    """No call may be served by scikit-learn: neither here, nor in threads, nor in processes started by the test."""
    monkeypatch.setenv("FASTML_FALLBACK", "error")
    before = fastml.get_config()["fallback"]
    fastml.set_config(fallback="error")
    yield
    fastml.set_config(fallback=before)
