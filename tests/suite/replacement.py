"""Which of scikit-learn's objects fastml replaces, and the proof that none of them is left behind.

A run that tests scikit-learn's own class under fastml's name would pass and say nothing. So this module looks for
what `fastml.patch_sklearn` may have missed without asking it: it compares the public names of the two packages, and
searches the loaded modules and the live objects for the originals.
"""

import gc
import importlib
import importlib.util
import inspect
import pkgutil
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import ModuleType


@dataclass(frozen=True)
class Replacement:
    """One public object of scikit-learn and the one of fastml that stands in for it."""

    family: str
    name: str
    stock: object
    ours: object


def find_replacements() -> list[Replacement]:
    """All public names of `fastml.<family>` that `sklearn.<family>` has too. To be called before patching."""
    fastml = importlib.import_module("fastml")
    found = []
    for submodule in pkgutil.iter_modules(fastml.__path__):
        family = submodule.name
        if family.startswith("_") or importlib.util.find_spec(f"sklearn.{family}") is None:
            continue
        ours = importlib.import_module(f"fastml.{family}")
        stock = importlib.import_module(f"sklearn.{family}")
        for name in getattr(ours, "__all__", ()):
            if hasattr(stock, name):
                replacement = Replacement(family, name, getattr(stock, name), getattr(ours, name))
                if replacement.stock is replacement.ours:
                    raise RuntimeError(f"sklearn.{family}.{name} was replaced before the suite could see the original")
                found.append(replacement)
    return found


def unreplaced(replacements: Iterable[Replacement], test_modules: Iterable[ModuleType]) -> list[str]:
    """Describe every place that still holds an original: scikit-learn's modules, `test_modules` and live instances."""
    replacements = list(replacements)
    stock = {id(r.stock): f"sklearn.{r.family}.{r.name}" for r in replacements}
    left = [
        f"sklearn.{r.family}.{r.name} is {getattr(sys.modules[f'sklearn.{r.family}'], r.name)!r}, not fastml's"
        for r in replacements
        # test_neighbors.py puts a wrapper in the place of what it tests.
        if not _leads_to(getattr(sys.modules[f"sklearn.{r.family}"], r.name), r.ours)
    ]
    loaded = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "sklearn"}
    loaded.update((module.__name__, module) for module in test_modules)
    for module_name, module in loaded.items():
        for name, value in list(vars(module).items()):
            for place, held in _held_by(name, value):
                if id(held) in stock:
                    left.append(f"{module_name}.{place} is scikit-learn's own {stock[id(held)]}")
    # Instances hide where no name leads: in the arguments of parametrized tests, in a closure, in a default.
    classes = {r.stock for r in replacements if isinstance(r.stock, type)}
    live = [type(each).__name__ for each in gc.get_objects() if type(each) in classes]
    left += [f"{live.count(name)} instance(s) of scikit-learn's own {name} are alive" for name in sorted(set(live))]
    return left


def _leads_to(value: object, ours: object) -> bool:
    """Tell whether a value is ours, or a wrapper of it."""
    return value is ours or inspect.unwrap(value, stop=lambda inner: inner is ours) is ours  # type: ignore[arg-type]


def _held_by(name: str, value: object) -> Iterator[tuple[str, object]]:
    """`value` and, if it is a built-in container, what it holds: scikit-learn's check tables are keyed by class."""
    yield name, value
    if isinstance(value, dict):
        for key, entry in list(value.items()):
            yield f"{name} (a key)", key
            yield f"{name}[{key!r}]", entry
    elif isinstance(value, (list, tuple, set, frozenset)):
        for each in list(value):
            yield f"{name} (an element)", each
