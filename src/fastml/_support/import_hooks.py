"""Do something once a module has been imported, without importing it for that.

Patching scikit-learn and reaching joblib's workers wait here for the modules they change. A program that never imports
them does not pay for them, nor does a worker process.
"""

import sys
import threading
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

_pending: dict[str, list[Callable[[], None]]] = {}


class _Imports(threading.local):
    """How many imports that the finder has seen the thread is inside of."""

    depth = 0


_imports = _Imports()


def when_imported(module: str, action: Callable[[], None]) -> None:
    """Do something now if a module is imported, otherwise as soon as it is.

    Parameters
    ----------
    module : str
        The module's full name.
    action : callable
        Called once, when the outermost import of a package of scikit-learn or fastml has ended: in the middle of one,
        the packages further out may lack what the action imports.
    """
    if module in sys.modules and not _imports.depth:
        action()
        return
    _pending.setdefault(module, []).append(action)
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)


def forget(module: str, action: Callable[[], None]) -> None:
    """Take back an action that is still to be done; nothing happens if it has been done."""
    if action in _pending.get(module, ()):
        _pending[module].remove(action)
        if not _pending[module]:
            del _pending[module]
    _rest()


def _rest() -> None:
    """Leave the import system when nothing is pending."""
    if not _pending and _finder in sys.meta_path:
        sys.meta_path.remove(_finder)


def _act(failed: str | None) -> None:
    # A module whose import has failed is about to be removed.
    for module in [module for module in _pending if module in sys.modules and module != failed]:
        for action in _pending.pop(module, ()):
            action()
    _rest()


class _Finder(MetaPathFinder):
    """Finds nothing by itself; it has what the others find tell when its import ends."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        root, *rest = fullname.split(".")
        if fullname not in _pending and not (root in ("sklearn", "fastml") and len(rest) == 1):
            return None
        for finder in list(sys.meta_path):
            find_spec = getattr(finder, "find_spec", None)
            spec = None if finder is self or find_spec is None else find_spec(fullname, path, target)
            if spec is not None:
                _tell_the_end(spec)
                return spec
        return None


_finder = _Finder()


def _tell_the_end(spec: ModuleSpec) -> None:
    loader = spec.loader
    if loader is None or not hasattr(loader, "exec_module"):
        return
    exec_module = loader.exec_module

    def exec_and_act(module: ModuleType) -> None:
        del loader.exec_module
        _imports.depth += 1
        failed: str | None = spec.name
        try:
            exec_module(module)
            failed = None
        finally:
            _imports.depth -= 1
            if not _imports.depth:
                _act(failed)

    # The loader is the module's own; for as long as the import takes, its method is replaced.
    loader.exec_module = exec_and_act  # type: ignore[method-assign]
