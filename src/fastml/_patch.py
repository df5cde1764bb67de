"""Let scikit-learn's own names stand for fastml's estimators.

Patching replaces an original in every module of scikit-learn that holds it, under whatever name: the module that
defines it, the public package, and those that had imported it. Modules of scikit-learn imported later find the
replacement in the defining module. A package of scikit-learn that is not imported yet is patched when it is, so that
nothing is imported for nothing. Everything outside scikit-learn is left alone. Unpatching goes the same way back, over
the modules that there are by then.
"""

import copyreg
import functools
import pkgutil
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from types import TracebackType
from typing import Any

from fastml._registry import ENTRIES, Entry
from fastml._support import workers
from fastml._support.import_hooks import forget, when_imported

_lock = threading.RLock()
_wanted: dict[str, Entry] = {}
_patched: dict[str, tuple[Any, Any]] = {}  # name -> (original, replacement); the wanted ones that are imported


def patch_sklearn(names: str | Iterable[str] | None = None) -> "Patch":
    """Replace scikit-learn's estimators and functions by fastml's of the same name.

    It does not matter whether scikit-learn was imported before. What other packages and your own modules imported from
    scikit-learn before stays scikit-learn's. joblib workers and processes started by :mod:`multiprocessing` are patched
    as well.

    Parameters
    ----------
    names : str or iterable of str, optional
        Which to replace, such as ``["KMeans"]``. By default all that fastml has.

    Returns
    -------
    patch : context manager
        Undoes this call, and no earlier one, when left. Without a ``with`` statement the patch stays until
        :func:`unpatch_sklearn`.

    Raises
    ------
    ValueError
        When fastml has nothing of a name.

    Examples
    --------
    >>> import fastml
    >>> patch = fastml.patch_sklearn()
    >>> from sklearn.cluster import KMeans
    >>> KMeans.__module__.startswith("fastml")
    True
    >>> fastml.unpatch_sklearn()
    """
    chosen = _chosen(names)
    with _lock:
        entries = [entry for entry in chosen if entry.name not in _wanted]
        _wanted.update((entry.name, entry) for entry in entries)
    workers.share(__name__, lambda: list(_wanted))
    for module in sorted({entry.sklearn_module for entry in entries}):
        when_imported(module, _patch_imported)
    return Patch([entry.name for entry in entries])


def unpatch_sklearn(names: str | Iterable[str] | None = None) -> None:
    """Give scikit-learn its own estimators and functions back.

    Parameters
    ----------
    names : str or iterable of str, optional
        Which to give back. By default all. Those that are not replaced are passed over.

    Raises
    ------
    ValueError
        When fastml has nothing of a name.
    """
    chosen = _chosen(names)
    with _lock:
        for entry in chosen:
            _wanted.pop(entry.name, None)
        for module in {entry.sklearn_module for entry in chosen} - {entry.sklearn_module for entry in _wanted.values()}:
            forget(module, _patch_imported)
        pairs = [_patched.pop(entry.name) for entry in chosen if entry.name in _patched]
        _replace((replacement, original) for original, replacement in pairs)
        for original, _ in pairs:
            if isinstance(original, type):
                copyreg.dispatch_table.pop(original, None)


@contextmanager
def patched(names: str | Iterable[str] | None = None) -> Iterator[None]:
    """Replace scikit-learn's estimators and functions inside a ``with`` block.

    Parameters
    ----------
    names : str or iterable of str, optional
        Which to replace, see :func:`patch_sklearn`.

    Raises
    ------
    ValueError
        When fastml has nothing of a name.
    """
    with patch_sklearn(names):
        yield


class Patch:
    """What one call of :func:`patch_sklearn` replaced; as a context manager it gives that back when left.

    Parameters
    ----------
    names : list of str
        The names that the call replaced. Those that an earlier call had replaced are not among them.
    """

    def __init__(self, names: list[str]) -> None:
        self.names = names

    def __enter__(self) -> "Patch":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        unpatch_sklearn(self.names)

    def __repr__(self) -> str:
        return f"<scikit-learn patched by fastml: {', '.join(self.names) or 'nothing new'}>"


def adopt(names: list[str]) -> None:
    """Replace in this process what is replaced in the process that it works for, and nothing else."""
    if set(names) != set(_wanted):
        unpatch_sklearn([name for name in _wanted if name not in names])
        patch_sklearn(names)


def _patch_imported() -> None:
    """Replace what is wanted and not replaced yet, as far as scikit-learn's packages are imported."""
    # Our classes derive from the originals, so they are made before anything is replaced; and outside of the lock, as
    # another thread may come here while it holds the lock of an import that is waited for.
    families = {
        entry.family: import_module(entry.family)
        for entry in list(_wanted.values())
        if entry.name not in _patched and entry.sklearn_module in sys.modules
    }
    with _lock:
        pairs = {
            entry.name: (
                getattr(sys.modules[entry.sklearn_module], entry.name),
                getattr(families[entry.family], entry.name),
            )
            for entry in _wanted.values()
            if entry.name not in _patched and entry.sklearn_module in sys.modules and entry.family in families
        }
        _patched.update(pairs)
        _replace(pairs.values())
        for original, _ in pairs.values():
            if isinstance(original, type):
                copyreg.pickle(original, _reduce_original)


def _chosen(names: str | Iterable[str] | None) -> list[Entry]:
    if names is None:
        return list(ENTRIES)
    wanted = [names] if isinstance(names, str) else list(names)
    known = {entry.name: entry for entry in ENTRIES}
    unknown = sorted(set(wanted) - set(known))
    if unknown:
        raise ValueError(f"fastml replaces no {', '.join(unknown)}. It replaces {', '.join(known)}.")
    return [known[name] for name in wanted]


def _replace(pairs: Iterable[tuple[Any, Any]]) -> None:
    """Replace objects, by identity, in all the modules of scikit-learn."""
    replacements = {id(old): new for old, new in pairs}
    if not replacements:
        return
    for module_name, module in list(sys.modules.items()):
        if module_name.partition(".")[0] != "sklearn":
            continue
        attributes = getattr(module, "__dict__", {})
        for name in [name for name, value in list(attributes.items()) if id(value) in replacements]:
            setattr(module, name, replacements[id(attributes[name])])


class _Maker:
    """Makes an instance of an original class, while the class' name in scikit-learn stands for ours.

    Pickle refuses a class whose module holds another object under its name. Estimators of scikit-learn can still be in
    a patched process: made before, held by other packages, or returned by :func:`fastml.to_sklearn`. They are pickled
    by a call that looks the name up, and so load as scikit-learn's where nothing is patched.
    """

    def __init__(self, original: type) -> None:
        self.original = original

    def __call__(self) -> Any:
        return object.__new__(self.original)

    def __reduce__(self) -> tuple[Any, ...]:
        return functools.partial, (copyreg.__newobj__, _ByName(self.original))  # type: ignore[attr-defined]


class _ByName:
    """A class that is pickled as its name alone."""

    def __init__(self, original: type) -> None:
        self.path = f"{original.__module__}:{original.__qualname__}"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return pkgutil.resolve_name, (self.path,)


def _reduce_original(instance: Any) -> tuple[Any, ...]:
    _, _, *rest = instance.__reduce_ex__(4)
    return _Maker(type(instance)), (), *rest
