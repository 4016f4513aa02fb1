"""An annotated Python function → machine code that is made once, whoever calls it.

numba copies what a compiled function calls into it, at every level, and optimizes all of it there again; and it makes a
version for each type of argument that a caller happens to pass. With calls ten levels deep, that is where a first
search spent its first two minutes. So the types are given, by annotations, and what is large stands `apart`: it is
compiled once, when its module is read (or comes from numba's cache), and called through a symbol of its own.

What these functions do without, because numba compiles a lot for it: assignments of an array to a slice (loops do), and
sums and tests of whole arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Annotated, Any, get_args, get_origin, get_type_hints
from zlib import crc32

import numpy as np
from llvmlite import binding
from numba import njit, types
from numba.core import cgutils
from numba.core.typing.templates import ConcreteTemplate, Signature, infer_global
from numba.extending import lower_builtin
from numpy.typing import NDArray

Integers = Annotated[NDArray[np.int64], types.int64[::1]]
Reals = Annotated[NDArray[np.float64], types.float64[::1]]
Singles = Annotated[NDArray[np.float32], types.float32[::1]]
Flags = Annotated[NDArray[np.bool_], types.boolean[::1]]
Words = Annotated[NDArray[np.uint64], types.uint64[::1]]
IntegerRows = Annotated[NDArray[np.int64], types.int64[:, ::1]]
RealRows = Annotated[NDArray[np.float64], types.float64[:, ::1]]
SingleRows = Annotated[NDArray[np.float32], types.float32[:, ::1]]
Single = Annotated[Any, types.float32]
Word = Annotated[Any, types.uint64]

_SCALARS = {int: types.int64, float: types.float64, bool: types.boolean, type(None): types.none}
# Of one kind, but for the fast-math: numba compiles its own helpers again for each set of flags.
_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}

Function = Callable[..., Any]


def type_of(annotation: Any) -> types.Type:
    """The type that numba sees in a value: of one of the arrays above, a number, a tuple, or a NamedTuple of those."""
    if annotation in _SCALARS:
        return _SCALARS[annotation]
    if get_origin(annotation) is Annotated:
        return get_args(annotation)[1]
    if get_origin(annotation) is tuple:
        return types.Tuple([type_of(part) for part in get_args(annotation)])
    hints = get_type_hints(annotation, include_extras=True)
    return types.NamedTuple([type_of(hints[field]) for field in annotation._fields], annotation)


def signature_of(function: Function) -> Signature:
    """The numba signature of an annotated function."""
    hints = {name: type_of(hint) for name, hint in get_type_hints(function, include_extras=True).items()}
    return hints.pop("return")(*hints.values())


class _Compiled:
    """A function with given types. Compiled functions find it by what is announced to numba."""

    def __init__(self, function: Function, fastmath: set[str] | bool) -> None:
        self.__name__ = function.__name__
        self.__doc__ = function.__doc__
        self.signature = signature_of(function)
        self._function = function
        self._fastmath = fastmath

        class Template(ConcreteTemplate):
            key = self
            cases = [self.signature]  # noqa: RUF012

        infer_global(self, types.Function(Template))
        lower_builtin(self, *self.signature.args)(self._call)

    def __call__(self, *arguments: Any) -> Any:
        """From Python."""
        return self._entry(*arguments)

    @cached_property
    def _entry(self) -> Any:
        return njit(lambda *arguments: self(*arguments))  # noqa: PLW0108

    def _compile(self, **options: bool) -> Any:
        made = njit(self.signature, fastmath=self._fastmath, **_OPTIONS | options)(self._function)
        return made, made.overloads[self.signature.args]

    def _call(self, context: Any, builder: Any, signature: Signature, values: Any) -> Any:
        raise NotImplementedError


class Inlined(_Compiled):
    """Compiled when a compiled function first calls it, and copied into each that does."""

    @cached_property
    def _made(self) -> Any:
        return self._compile()[1]

    def _call(self, context: Any, builder: Any, signature: Signature, values: Any) -> Any:
        context.add_linking_libs([self._made.library])
        return context.call_internal(builder, self._made.fndesc, signature, values)


class Apart(_Compiled):
    """Compiled at once, on its own, and called by its symbol; from Python, too, quickly where `python` is true."""

    def __init__(self, function: Function, python: bool, fastmath: set[str] | bool) -> None:
        super().__init__(function, fastmath)
        # with its types, so that a caller from an older cache cannot call it with other ones
        self._symbol = f"{function.__module__}.{function.__name__}.{crc32(str(self.signature).encode()):08x}"
        dispatcher, made = self._compile(cache=True, no_cpython_wrapper=not python)
        if python:
            self._entry = dispatcher
        binding.add_symbol(self._symbol, made.library.get_pointer_to_function(made.fndesc.llvm_func_name))

    def _call(self, context: Any, builder: Any, signature: Signature, values: Any) -> Any:
        convention = context.call_conv
        kind = convention.get_function_type(signature.return_type, signature.args)
        function = cgutils.get_or_insert_function(builder.module, kind, self._symbol)
        status, result = convention.call_function(builder, function, signature.return_type, signature.args, values)
        with cgutils.if_unlikely(builder, status.is_error):
            convention.return_status_propagate(builder, status)
        return result


def apart(*, python: bool = False, fastmath: set[str] | bool = False) -> Callable[[Function], Apart]:
    """Decorator: a function that is compiled once and called. python: with what a call from Python needs.

    Without it, the first such call in a process compiles that, which is good enough for tests.
    """
    return lambda function: Apart(function, python, fastmath)


def inlined(*, fastmath: set[str] | bool = False) -> Callable[[Function], Inlined]:
    """Decorator: a small function of compiled functions only."""
    return lambda function: Inlined(function, fastmath)
