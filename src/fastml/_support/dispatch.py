"""Whether a call runs on fastml or on scikit-learn, and the record of it.

A method or function is marked :func:`accelerated` with the conditions under which its body serves. A call that meets
them runs the body. Any other call goes to scikit-learn's own method, which is correct and slower: it is logged on the
``fastml`` logger with the reason, counted (:func:`calls`), and reported as the setting ``fallback`` asks for.

A body may itself call a function of scikit-learn, such as a solver, on input that the body has checked. The call is
then served, and its work borrowed: the body says so (:func:`note_borrowed`), it is logged and counted with that reason,
and the setting ``fallback`` has no say. A condition is for what the body cannot take at all.

Estimators that scikit-learn does not have are marked as well, without conditions: their calls are counted, and their
fits leave nothing half done.

A method whose name starts with ``fit`` or ``partial_fit`` leaves the estimator as it was when it fails or is
interrupted: attributes that it set, replaced or deleted are put back. Arrays that it changes in place are not, so a
``partial_fit`` computes into new arrays and assigns them at its end.
"""

import inspect
import logging
import os
import threading
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import update_wrapper
from importlib import import_module
from time import perf_counter
from typing import Any, NamedTuple

from fastml._registry import ENTRIES, OWN_ENTRIES, is_ours
from fastml._support import config

logger = logging.getLogger("fastml")


class FallbackError(RuntimeError):
    """A call that fastml does not serve was made under ``fallback="error"``."""


class FallbackWarning(UserWarning):
    """A call that fastml does not serve ran on scikit-learn, under ``fallback="warn"``."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that a kernel needs in order to serve a call.

    Parameters
    ----------
    message : str
        What is needed, so that it reads on from "needs": "dense or CSR input".
    predicate : callable
        Called with the arguments of the call (the estimator first, for a method); true when the kernel can serve.
        Invalid arguments should pass: it is the body's validation that rejects them, in scikit-learn's words.
    """

    message: str
    predicate: Callable[..., Any]


def are_of_sklearn(estimator: Any, *names: str) -> bool:
    """Tell whether methods are scikit-learn's, neither a derived class's nor the estimator's own."""
    own = vars(estimator)
    return all(name not in own and getattr(type(estimator), name).__module__.startswith("sklearn.") for name in names)


def of_sklearn(*names: str) -> Condition:
    """Return the condition that private methods, which a derived class may define anew, are scikit-learn's."""
    return Condition(f"scikit-learn's {', '.join(names)}", lambda self, *args, **kwargs: are_of_sklearn(self, *names))


@dataclass(frozen=True, slots=True)
class Call:
    """How often and how long an accelerated callable ran one way.

    Parameters
    ----------
    name : str
        The callable: "KMeans.fit".
    reason : str or None
        Why the calls went to scikit-learn; None when fastml served them.
    count : int
        The number of calls. A call made inside of another accelerated call, in the same thread, belongs to that one.
    seconds : float
        The wall time of all of them together.
    """

    name: str
    reason: str | None
    count: int
    seconds: float


class Coverage(NamedTuple):
    """A row of :func:`coverage_table`.

    Parameters
    ----------
    estimator : str
        The class, or the function.
    method : str
        The method; empty for a function.
    conditions : tuple of str
        What a call needs to be served; empty when every call is.
    """

    estimator: str
    method: str
    conditions: tuple[str, ...]


class _Progress(threading.local):
    """The accelerated call that the thread is inside of."""

    depth = 0
    reason: str | None = None


_progress = _Progress()
_totals: dict[tuple[str, str | None], list[Any]] = {}
_totals_lock = threading.Lock()


def _renew_lock() -> None:
    # Another thread may have held the lock at the moment of the fork; nobody would ever release the child's copy.
    global _totals_lock
    _totals_lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


def calls() -> list[Call]:
    """Return the calls made so far, per callable and reason, in order of their first occurrence."""
    with _totals_lock:
        return [Call(*key, *total) for key, total in _totals.items()]


def add_calls(more: Iterable[Call]) -> None:
    """Add calls to the record, such as those of a worker process."""
    with _totals_lock:
        for call in more:
            total = _totals.setdefault((call.name, call.reason), [0, 0.0])
            total[0] += call.count
            total[1] += call.seconds


def reset_calls() -> None:
    """Forget the calls made so far."""
    with _totals_lock:
        _totals.clear()


def coverage_table() -> list[Coverage]:
    """Return what fastml serves: one row for each accelerated method and function of every family."""
    rows = []
    for entry in (*ENTRIES, *OWN_ENTRIES):
        thing = getattr(import_module(entry.family), entry.name)
        members = {"": thing, **{name: inspect.getattr_static(thing, name) for name in dir(thing)}}
        for name, member in members.items():
            route = getattr(member, "__fastml_route__", None)
            if route is not None:
                rows.append(Coverage(entry.name, name, tuple(condition.message for condition in route.conditions)))
    return sorted(rows)


def note_borrowed(reason: str) -> None:
    """Note that the call that is running leaves its main work to scikit-learn's code, on input that was checked here.

    It is logged and reported as a call that did not run on fastml alone. No fallback is announced: what is called is a
    function of the library, as one of SciPy would be, and not the estimator's own method.

    Parameters
    ----------
    reason : str
        What is borrowed, to read on from "Ridge.fit: ".
    """
    logger.info("runs in part on scikit-learn: %s", reason)
    if _progress.depth and _progress.reason is None:
        _progress.reason = reason


class _Route:
    """An accelerated callable: its body, its stock equivalent, and the choice between the two."""

    def __init__(self, body: Callable[..., Any], conditions: tuple[Condition, ...]) -> None:
        self.body = body
        self.conditions = conditions
        self.name = body.__qualname__.rpartition("<locals>.")[2]
        self.is_fit = False

    def name_for(self, args: tuple[Any, ...]) -> str:
        """Return the name under which a call is reported."""
        return self.name

    def stock(self, *args: Any, **kwargs: Any) -> Any:
        """Run scikit-learn's equivalent."""
        raise NotImplementedError

    def unmet(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str | None:
        """Return why the body cannot serve the call, or None when it can."""
        for condition in self.conditions:
            try:
                if not condition.predicate(*args, **kwargs):
                    return f"needs {condition.message}"
            except Exception as error:
                try:
                    inspect.signature(self.body).bind(*args, **kwargs)
                except TypeError:
                    # The call itself is wrong: the body's own TypeError says so in the usual words.
                    return None
                return f"needs {condition.message}, which could not be checked ({error!r})"
        return None

    def announce(self, name: str, reason: str) -> None:
        """Log, warn of or refuse a call that goes to scikit-learn."""
        fallback = config.current()["fallback"]
        if fallback == "error":
            raise FallbackError(
                f"fastml does not serve this call of {name}: it {reason}. To run scikit-learn's method instead, "
                "set fallback to 'warn' or 'silent' with fastml.config_context, fastml.set_config or the "
                "environment variable FASTML_FALLBACK."
            )
        logger.info("%s runs on scikit-learn: fastml %s", name, reason)
        if fallback == "warn":
            # Past this method, run and the wrapper, to the line that called the estimator.
            warnings.warn(f"{name} runs on scikit-learn: fastml {reason}.", FallbackWarning, stacklevel=4)

    def run(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Serve one call."""
        progress = _progress
        name = self.name_for(args)
        serve = self.body
        reason = self.unmet(args, kwargs) if self.conditions else None
        if reason is not None:
            self.announce(name, reason)
            serve = self.stock
            if progress.depth and progress.reason is None:
                # The outer call is the one counted, and it did not run on fastml alone.
                progress.reason = f"{reason} in {name}"
        before = args[0].__dict__.copy() if self.is_fit else None
        if progress.depth:
            outermost = False
        else:
            outermost = True
            progress.reason = reason
        progress.depth += 1
        start = perf_counter()
        try:
            return serve(*args, **kwargs)
        except BaseException:
            if before is not None:
                state = args[0].__dict__
                state.clear()
                state.update(before)
            raise
        finally:
            progress.depth -= 1
            if outermost:
                seconds = perf_counter() - start
                key = (name, progress.reason)
                with _totals_lock:
                    total = _totals.get(key)
                    if total is None:
                        _totals[key] = [1, seconds]
                    else:
                        total[0] += 1
                        total[1] += seconds


class _FunctionRoute(_Route):
    def __init__(
        self, body: Callable[..., Any], conditions: tuple[Condition, ...], fallback: Callable[..., Any]
    ) -> None:
        super().__init__(body, conditions)
        self.fallback = fallback

    def stock(self, *args: Any, **kwargs: Any) -> Any:
        return self.fallback(*args, **kwargs)


class _MethodRoute(_Route):
    def __init__(self, body: Callable[..., Any], conditions: tuple[Condition, ...]) -> None:
        super().__init__(body, conditions)
        self.is_fit = body.__name__.startswith(("fit", "partial_fit"))
        self.owner: type | None = None
        self.names: dict[type, str] = {}

    def name_for(self, args: tuple[Any, ...]) -> str:
        # The class is that of the estimator, not of the mixin that may define the method.
        cls = type(args[0])
        name = self.names.get(cls)
        if name is None:
            ours = next(filter(is_ours, cls.__mro__), None)
            name = self.name if ours is None else f"{ours.__name__}.{self.body.__name__}"
            if ours is cls:
                # Classes derived from ours come and go; they are not kept alive here.
                self.names[cls] = name
        return name

    def stock(self, *args: Any, **kwargs: Any) -> Any:
        estimator, *rest = args
        if self.owner is None:
            self.owner = self._find_owner(type(estimator))
        return getattr(super(self.owner, estimator), self.body.__name__)(*rest, **kwargs)

    def _find_owner(self, cls: type) -> type:
        """Return the class that defines the method, when other decorators stand around ``accelerated``."""
        for owner in cls.__mro__:
            attribute = vars(owner).get(self.body.__name__)
            while attribute is not None:
                if attribute is self.body:
                    return owner
                attribute = getattr(attribute, "__wrapped__", None)
        raise TypeError(f"No class among the bases of {cls.__qualname__} defines {self.name}.")


class _Method:
    """What ``accelerated`` leaves in a class body: it becomes a plain function once the class exists.

    Only then is the class known whose parent has the docstring; and code that inspects methods (metadata routing, to
    name one) wants functions.
    """

    def __init__(self, route: _MethodRoute) -> None:
        self.route = route

        def method(*args: Any, **kwargs: Any) -> Any:
            return route.run(args, kwargs)

        self.function = update_wrapper(method, route.body)
        self.function.__fastml_route__ = route  # type: ignore[attr-defined]
        update_wrapper(self, self.function)
        self.__wrapped__ = route.body

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)

    def __set_name__(self, owner: type, name: str) -> None:
        self.route.owner = owner
        if self.function.__doc__ is None:
            inherited = getattr(super(owner, owner), name, None)
            self.function.__doc__ = getattr(inherited, "__doc__", None)
        setattr(owner, name, self.function)


def accelerated(
    *conditions: Condition, fallback: Callable[..., Any] | None = None
) -> Callable[[Callable[..., Any]], Any]:
    """Mark a method, or a function, as served by a kernel under some conditions.

    Parameters
    ----------
    *conditions : Condition
        All of them must hold for a call to run the decorated body.
    fallback : callable, optional
        For a function: scikit-learn's function of the same name. The fallback of a method is the method of the same
        name of the class that follows in the method resolution order.

    Returns
    -------
    decorator : callable
        The decorated callable keeps the name, signature and, if the body has one, docstring; otherwise it gets the
        docstring of its fallback.

    Notes
    -----
    It goes outside of scikit-learn's ``_fit_context``, so that a call that falls back is validated once.
    """

    def decorate(body: Callable[..., Any]) -> Any:
        if fallback is None:
            return _Method(_MethodRoute(body, conditions))

        route = _FunctionRoute(body, conditions, fallback)

        def function(*args: Any, **kwargs: Any) -> Any:
            return route.run(args, kwargs)

        update_wrapper(function, body)
        if function.__doc__ is None:
            function.__doc__ = fallback.__doc__
        function.__fastml_route__ = route  # type: ignore[attr-defined]
        function.__fastml_stock__ = fallback  # type: ignore[attr-defined]
        return function

    return decorate
