"""Settings that hold for tests of estimators."""

import signal

import pytest

import fastml


def pytest_configure():
    """Let tests of Ctrl-C be interrupted: pytest-xdist's processes ignore it, and so do a shell's in the background."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def no_fallback(monkeypatch):
    """No call may be served by scikit-learn: neither here, nor in threads, nor in processes started by the test."""
    monkeypatch.setenv("FASTML_FALLBACK", "error")
    before = fastml.get_config()["fallback"]
    fastml.set_config(fallback="error")
    yield
    fastml.set_config(fallback=before)
