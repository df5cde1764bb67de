"""Actions run once, when their module has been imported, and the import system is left as it was."""

import importlib
import sys

import pytest

from fastml._support import import_hooks
from fastml._support.import_hooks import forget, when_imported


@pytest.fixture(autouse=True)
def modules(tmp_path, monkeypatch):
    """A directory of modules that can be imported, and nothing pending."""
    monkeypatch.setattr(import_hooks, "_pending", {})
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    (tmp_path / "inner_module.py").write_text("value = 1\n")
    (tmp_path / "failing_module.py").write_text("raise LookupError('failed')\n")
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]
    import_hooks._pending.clear()
    import_hooks._rest()


def test_now_if_it_is_imported():
    done = []
    when_imported("sys", lambda: done.append(1))
    assert done == [1]
    assert import_hooks._finder not in sys.meta_path


def test_later_if_it_is_not(modules):
    done = []
    when_imported("inner_module", lambda: done.append(sys.modules["inner_module"].value))
    when_imported("inner_module", lambda: done.append("second"))
    assert done == []
    module = importlib.import_module("inner_module")
    assert done == [1, "second"]
    assert "exec_module" not in vars(module.__spec__.loader)
    assert import_hooks._finder not in sys.meta_path
    importlib.reload(module)
    assert done == [1, "second"]


def test_not_if_it_is_taken_back(modules):
    done = []
    action = lambda: done.append(1)  # noqa: E731
    when_imported("inner_module", action)
    forget("inner_module", action)
    forget("inner_module", action)
    importlib.import_module("inner_module")
    assert done == []
    assert import_hooks._finder not in sys.meta_path


def test_a_module_that_fails_to_import_stays_pending(modules):
    done = []
    when_imported("failing_module", lambda: done.append(1))
    with pytest.raises(LookupError, match="failed"):
        importlib.import_module("failing_module")
    assert done == []
    (modules / "failing_module.py").write_text("")
    importlib.invalidate_caches()
    importlib.import_module("failing_module")
    assert done == [1]


def test_a_module_that_is_not_there_is_not_found():
    when_imported("no_such_module", lambda: None)
    with pytest.raises(ModuleNotFoundError, match="No module named 'no_such_module'"):
        importlib.import_module("no_such_module")


def test_inside_of_another_import_the_action_waits_for_its_end(modules):
    # The outer one stands for a package of scikit-learn, in the middle of whose import another is imported.
    (modules / "outer_module.py").write_text("import inner_module\ncomplete = True\n")
    seen = []
    when_imported("inner_module", lambda: seen.append(hasattr(sys.modules["outer_module"], "complete")))
    when_imported("outer_module", lambda: None)
    importlib.import_module("outer_module")
    assert seen == [True]
