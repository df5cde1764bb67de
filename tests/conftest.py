"""Settings that hold for tests of estimators."""

import pytest

import fastml


@pytest.fixture
def no_fallback(monkeypatch):
    """No call may be served by scikit-learn: neither here, nor in threads, nor in processes started by the test."""
    monkeypatch.setenv("FASTML_FALLBACK", "error")
    before = fastml.get_config()["fallback"]
    fastml.set_config(fallback="error")
    yield
    fastml.set_config(fallback=before)
