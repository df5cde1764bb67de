"""Parameters of what an estimator is made of: ``optimizer__lr``, ``module__hidden_layer_sizes``, ..."""

import inspect
from typing import Any

from sklearn.base import BaseEstimator


class NestedParameters(BaseEstimator):
    """An estimator that takes, beside its own parameters, any ``<part>__<name>`` for the parts that it names.

    Such a parameter is one like the others: an attribute, that ``get_params`` lists, ``set_params`` changes, ``clone``
    copies and a search varies. Its name is checked where the part is made, which depends on the other parameters.
    """

    _parts: tuple[str, ...] = ()
    _nested_parameters: dict[str, Any]
    """By their full names. The dict is replaced and never changed: a shallow copy of the estimator shares it."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # Without the argument that takes the nested ones: whoever reads a signature takes each name in it for a
        # parameter's.
        signature = inspect.signature(cls.__init__)
        named = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD][1:]
        cls.__signature__ = signature.replace(parameters=named)

    def _take_nested(self, nested: dict[str, Any]) -> None:
        """Set what ``__init__`` was given beyond its own arguments."""
        self._nested_parameters = {}
        for name, value in nested.items():
            if not self._is_nested(name):
                raise TypeError(
                    f"{type(self).__name__}.__init__() got an unexpected keyword argument {name!r}: there are the "
                    f"parameters of its signature, and those that begin with {', '.join(p + '__' for p in self._parts)}"
                )
            setattr(self, name, value)

    def __setattr__(self, name: str, value: Any) -> None:
        if self._is_nested(name):
            self._nested_parameters = {**self._nested_parameters, name: value}
        else:
            super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        nested = vars(self).get("_nested_parameters", {})
        if name not in nested:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return nested[name]

    @classmethod
    def _is_nested(cls, name: str) -> bool:
        part, _, rest = name.partition("__")
        return rest != "" and part in cls._parts

    def _nested(self, part: str) -> dict[str, Any]:
        """Return the parameters of a part, without its name."""
        start = part + "__"
        given = self._nested_parameters.items()
        return {name.removeprefix(start): value for name, value in given if name.startswith(start)}

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters, those of parts included.

        Parameters
        ----------
        deep : bool, default=True
            Whether to list the parameters of parameters that are estimators themselves.

        Returns
        -------
        params : dict
        """
        return {**super().get_params(deep=deep), **self._nested_parameters}

    def set_params(self, **params: Any) -> Any:
        """Set parameters, those of parts included.

        Parameters
        ----------
        **params : dict

        Returns
        -------
        self : estimator instance
        """
        nested = {name: value for name, value in params.items() if self._is_nested(name)}
        super().set_params(**{name: value for name, value in params.items() if name not in nested})
        for name, value in nested.items():
            setattr(self, name, value)
        return self
