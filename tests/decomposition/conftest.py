import pytest


@pytest.fixture(autouse=True)
def served_by_fastml(no_fallback):
    """Every call of these tests runs on fastml, or fails."""
