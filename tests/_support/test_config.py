"""The settings: their values, where they hold, and where they come from."""

import subprocess
import sys
import threading

import pytest

import fastml
from fastml._registry import ENTRIES
from fastml._support import config


@pytest.fixture(autouse=True)
def _restore_process_settings():
    before = config._process.copy()
    yield
    config._process.update(before)


def test_a_context_changes_the_settings_inside_only():
    before = fastml.get_config()
    with fastml.config_context(fallback="warn", n_threads=3):
        assert fastml.get_config() == {"fallback": "warn", "n_threads": 3}
        with fastml.config_context(fallback="error"):
            assert fastml.get_config() == {"fallback": "error", "n_threads": 3}
        assert fastml.get_config() == {"fallback": "warn", "n_threads": 3}
    assert fastml.get_config() == before


def test_a_context_ends_with_an_exception():
    before = fastml.get_config()
    with pytest.raises(ZeroDivisionError), fastml.config_context(n_threads=1):
        1 / 0  # noqa: B018
    assert fastml.get_config() == before


def test_set_config_holds_in_every_thread_a_context_in_its_own():
    seen = []
    fastml.set_config(n_threads=5)
    with fastml.config_context(n_threads=2):
        thread = threading.Thread(target=lambda: seen.append(fastml.get_config()["n_threads"]))
        thread.start()
        thread.join()
        assert fastml.get_config()["n_threads"] == 2
    assert seen == [5]


def test_set_config_inside_a_context_holds_there_and_after():
    with fastml.config_context(fallback="warn"):
        fastml.set_config(n_threads=4)
        assert fastml.get_config() == {"fallback": "warn", "n_threads": 4}
    assert fastml.get_config()["n_threads"] == 4


def test_get_config_is_a_copy():
    fastml.get_config()["fallback"] = "nonsense"
    assert fastml.get_config()["fallback"] in config.FALLBACKS


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"fallback": "never"}, r"fallback must be one of \('error', 'warn', 'silent'\), got 'never'"),
        ({"n_threads": 0}, "n_threads must be an integer of at least 1, got 0"),
        ({"n_threads": True}, "got True"),
        ({"n_threads": 1.5}, "got 1.5"),
    ],
)
def test_invalid_settings_are_refused_and_change_nothing(settings, message):
    before = fastml.get_config()
    with pytest.raises(ValueError, match=message):
        fastml.set_config(**settings)
    with pytest.raises(ValueError, match=message), fastml.config_context(**settings):
        pass
    assert fastml.get_config() == before


def test_environment_gives_the_first_values():
    assert config._from_environment({}) == {"fallback": "silent", "n_threads": None}
    assert config._from_environment({"FASTML_FALLBACK": "", "FASTML_NUM_THREADS": ""})["fallback"] == "silent"
    assert config._from_environment({"FASTML_FALLBACK": "warn", "FASTML_NUM_THREADS": "3"}) == {
        "fallback": "warn",
        "n_threads": 3,
    }
    with pytest.raises(ValueError, match="FASTML_FALLBACK must be one of"):
        config._from_environment({"FASTML_FALLBACK": "maybe"})
    with pytest.raises(ValueError, match="FASTML_NUM_THREADS must be an integer of at least 1, got '-2'"):
        config._from_environment({"FASTML_NUM_THREADS": "-2"})


def test_importing_fastml_imports_neither_numpy_nor_scikit_learn():
    code = "import sys, fastml; fastml.__version__; print({'numpy', 'sklearn', 'joblib', 'logging'} & set(sys.modules))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert printed.stdout.strip() == "set()"


def test_the_public_names_are_there():
    for name in fastml.__all__:
        assert getattr(fastml, name) is not None
    assert set(fastml.__all__) == set(dir(fastml))
    assert {entry.family.partition(".")[2] for entry in ENTRIES} <= set(fastml.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        fastml.nonsense  # noqa: B018
