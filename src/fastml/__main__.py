"""Run a Python program with scikit-learn accelerated, without a change to the program.

The program sees what ``python`` itself would have shown it: its own ``__main__``, ``sys.argv`` and ``sys.path[0]``, its
exit status, and tracebacks that start in its own code.
"""

import builtins
import io
import os
import pkgutil
import sys
import textwrap
from collections.abc import Callable
from importlib.machinery import ModuleSpec, SourceFileLoader, SourcelessFileLoader
from importlib.util import find_spec
from types import CodeType, ModuleType, TracebackType
from typing import Any, NoReturn

USAGE = """\
usage: python -m fastml [option] ... [-c code | -m module | script | -] [arg] ...

Run a Python program with fastml's estimators in place of scikit-learn's.

options:
  --report           at exit print which calls ran on fastml, which on scikit-learn and why, and their time
  --fallback MODE    what to do with a call that fastml does not serve: error, warn or silent (default: the
                     environment variable FASTML_FALLBACK, or silent)
  --version          print the version and exit
  -h, --help         print this and exit

program:
  script             a file, or a directory or zip file with a __main__.py
  -m module          a module or package
  -c code            the code itself
  -                  read it from the standard input
  arg ...            passed to the program, in sys.argv[1:]
"""


def main(arguments: list[str]) -> None:
    """Parse the command line and run the program that it names.

    Parameters
    ----------
    arguments : list of str
        The command line, from behind ``python -m fastml``.
    """
    report = False
    rest = list(arguments)
    while rest:
        option = rest.pop(0)
        name, equals, value = option.partition("=")
        if option in ("-h", "--help"):
            print(USAGE, end="")
            return
        if option == "--version":
            import fastml

            print(f"fastml {fastml.__version__}")
            return
        if option == "--report":
            report = True
        elif name == "--fallback":
            if not equals:
                value = rest.pop(0) if rest else ""
            _set_fallback(value)
        elif option in ("-c", "-m") and not rest:
            _refuse(f"argument expected for the {option} option", usage=True)
        elif option.startswith("-") and option not in ("-", "-c", "-m"):
            _refuse(f"unknown option {option}", usage=True)
        else:
            _accelerate(report)
            load = {"-": _stdin, "-c": _code, "-m": _module}.get(option)
            _run(load, rest) if load else _run(_script, [option, *rest])
            return
    _refuse("a program to run is missing", usage=True)


def _set_fallback(value: str) -> None:
    from fastml._support import config

    try:
        config.set_config(fallback=value)
    except ValueError as error:
        _refuse(f"--fallback: {error}", usage=True)
    # For programs that this one starts.
    os.environ["FASTML_FALLBACK"] = value


def _accelerate(report: bool) -> None:
    if report:
        # First, so that the table is printed after everything else that is done at exit, such as joining workers.
        from fastml._report import report_at_exit

        report_at_exit()
    from fastml._patch import patch_sklearn

    patch_sklearn()


def _refuse(message: str, *, status: int = 2, usage: bool = False) -> NoReturn:
    if usage:
        message += "\n" + USAGE.partition("\n")[0] + "\nTry `python -m fastml --help`."
    print(f"python -m fastml: {message}", file=sys.stderr)
    raise SystemExit(status)


def _run(load: Callable[[list[str]], tuple[CodeType, dict[str, Any]]], arguments: list[str]) -> None:
    """Run a program as ``__main__``.

    Unlike :func:`runpy.run_path` it leaves the program's module in place at the end, for what still runs then: threads,
    functions registered for the exit, and the prompt of ``python -i``.
    """
    main_module = ModuleType("__main__")
    try:
        code, attributes = load(arguments)
        vars(main_module).update(__builtins__=builtins, **attributes)
        sys.modules["__main__"] = main_module
        exec(code, vars(main_module))
    except SystemExit:
        raise
    except BaseException as error:
        # The end is the interpreter's own (exit status, the signal of Ctrl-C, exit functions), but the traceback is
        # shown here, without our frames, by whatever hook the program has set.
        hook = sys.excepthook
        error.__traceback__ = _own_frames_dropped(error.__traceback__)
        hook(type(error), error, error.__traceback__)
        sys.excepthook = lambda *_: setattr(sys, "excepthook", hook)
        raise


def _own_frames_dropped(traceback: TracebackType | None) -> TracebackType | None:
    while traceback is not None and traceback.tb_frame.f_code.co_filename == __file__:
        traceback = traceback.tb_next
    return traceback


def _set_path(directory: str) -> None:
    # `python -m fastml` has put the working directory first, unless it was told not to (-P, -I).
    if not sys.flags.safe_path:
        sys.path[0] = directory


def _script(arguments: list[str]) -> tuple[CodeType, dict[str, Any]]:
    sys.argv[:] = arguments
    # Not made any shorter: python leaves "./" and ".." in the name as well.
    path = os.path.join(os.getcwd(), arguments[0])
    importer = pkgutil.get_importer(path)
    if importer is not None:
        # A directory or zip file. It is searched first even under -P, as python does.
        if sys.flags.safe_path:
            sys.path.insert(0, "")
        sys.path[0] = path
        spec = importer.find_spec("__main__")
        if spec is None:
            _refuse(f"can't find '__main__' module in {path!r}", status=1)
        return _code_of(spec)

    _set_path(os.path.dirname(os.path.realpath(path)))
    if path.endswith(".pyc"):
        loader: Any = SourcelessFileLoader("__main__", path)
        code = loader.get_code("__main__")
    else:
        loader = SourceFileLoader("__main__", path)
        try:
            with io.open_code(path) as file:
                source = file.read()
        except OSError as error:
            _refuse(f"can't open file {path!r}: [Errno {error.errno}] {error.strerror}")
        code = compile(source, path, "exec", dont_inherit=True)
    return code, {"__file__": path, "__cached__": None, "__loader__": loader, "__spec__": None, "__package__": None}


def _module(arguments: list[str]) -> tuple[CodeType, dict[str, Any]]:
    name, *rest = arguments
    sys.argv[:] = ["-m", *rest]
    spec = _spec_of(name)
    if spec is not None and spec.submodule_search_locations is not None:
        package, name = name, f"{name}.__main__"
        spec = _spec_of(name)
        if spec is None:
            _refuse(f"No module named {name}; {package!r} is a package and cannot be directly executed", status=1)
    if spec is None:
        _refuse(f"No module named {name}", status=1)
    sys.argv[0] = spec.origin or name
    return _code_of(spec)


def _spec_of(name: str) -> ModuleSpec | None:
    try:
        return find_spec(name)
    except ModuleNotFoundError as error:
        # The parent package is missing; an import that fails inside of it is the program's own error.
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise
        _refuse(f"Error while finding module specification for {name!r} (ModuleNotFoundError: {error})", status=1)


def _code_of(spec: ModuleSpec) -> tuple[CodeType, dict[str, Any]]:
    loader: Any = spec.loader
    code = loader.get_code(spec.name) if hasattr(loader, "get_code") else None
    if code is None:
        _refuse(f"No code object available for {spec.name}", status=1)
    return code, {
        "__file__": spec.origin,
        "__cached__": spec.cached,
        "__loader__": loader,
        "__spec__": spec,
        "__package__": spec.parent,
    }


def _code(arguments: list[str]) -> tuple[CodeType, dict[str, Any]]:
    source, *rest = arguments
    sys.argv[:] = ["-c", *rest]
    _set_path("")
    if sys.version_info >= (3, 14):
        source = textwrap.dedent(source)
    return compile(source, "<string>", "exec", dont_inherit=True), {"__spec__": None, "__package__": None}


def _stdin(arguments: list[str]) -> tuple[CodeType, dict[str, Any]]:
    sys.argv[:] = ["-", *arguments]
    _set_path("")
    source = sys.stdin.buffer.read()
    code = compile(source, "<stdin>", "exec", dont_inherit=True)
    return code, {"__file__": "<stdin>", "__cached__": None, "__spec__": None, "__package__": None}


if __name__ == "__main__":
    main(sys.argv[1:])
