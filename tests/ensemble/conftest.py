import sys
from pathlib import Path

import pytest

# Forests are tested with what tests of trees have.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tree"))


@pytest.fixture(autouse=True)
def served_by_fastml(no_fallback):
    """Every call of these tests runs on fastml, or fails."""
