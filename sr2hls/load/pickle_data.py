"""The bytes of a pickle to an inert tree of records; no class or function that it names is ever looked up.

A pickle is a program for a stack machine. Here the program is walked as data: a global becomes `Ref(module, name)`, a
call becomes `Record(target, arguments)`. No code here imports, calls or reads an attribute of a name from the file,
so nothing in the file can be made to run. On top of that every global must be one that PySR models use, the opcodes
must be those that Python's own pickle writes for them, and sizes, counts and memo indices are bounded.
"""

from __future__ import annotations

import pickletools
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

from sr2hls.errors import LoadError

MAX_BYTES = 256 << 20
MAX_OPCODES = 1_000_000  # genuine checkpoints have up to some tens of thousands
MAX_DEPTH = 200  # of nested tuples


@dataclass(frozen=True, slots=True)
class Ref:
    """A global that the pickle names."""

    module: str
    name: str

    @property
    def path(self) -> str:
        """Dotted path."""
        return f"{self.module}.{self.name}"


@dataclass(eq=False, slots=True)
class Record:
    """A call or construction that the pickle asks for; it is never made."""

    target: Ref | Record
    arguments: tuple[Any, ...]
    keywords: dict[Any, Any] | None = None
    state: Any = None
    built: bool = False
    items: list[tuple[Any, Any]] = field(default_factory=list)
    elements: list[Any] = field(default_factory=list)

    @property
    def path(self) -> str:
        """Dotted path of what would be called; "" for a call of a call."""
        return self.target.path if isinstance(self.target, Ref) else ""


_EXACT = frozenset(
    {
        "pysr.sr.PySRRegressor",
        "pysr.export_numpy.CallableEquation",
        "pysr.expression_specs.ExpressionSpec",
        "pysr.expression_specs.TemplateExpressionSpec",
        "pysr.expression_specs.ParametricExpressionSpec",
        "pysr.expression_specs.CallableJuliaExpression",
        "pysr.logger_specs.TensorBoardLoggerSpec",
        "pysr.type_specs.TypeSpec",
        "pysr.type_specs._TypeSpecDefinition",
        "pysr.type_specs._TypeSpecRuntimeDefinition",
        "juliacall.AnyValue",
        "juliacall.ValueBase",
        "juliacall.JlBase",
        "juliacall.Jl",
        "numpy.ndarray",
        "numpy.dtype",
        "numpy.core.multiarray._reconstruct",
        "numpy._core.multiarray._reconstruct",
        "numpy.core.multiarray.scalar",
        "numpy._core.multiarray.scalar",
        "numpy.core.numeric._frombuffer",
        "numpy._core.numeric._frombuffer",
        "numpy.random._pickle.__randomstate_ctor",
        "numpy.random._pickle.__bit_generator_ctor",
        "numpy.random._mt19937.MT19937",
        "pandas.DataFrame",
        "pandas.Index",
        "pandas.RangeIndex",
        "pandas.StringDtype",
        "pandas.core.frame.DataFrame",
        "pandas.core.indexes.base.Index",
        "pandas.core.indexes.base._new_Index",
        "pandas.core.indexes.range.RangeIndex",
        "pandas.core.internals.managers.BlockManager",
        "pandas._libs.internals._unpickle_block",
        "pandas._libs.arrays.__pyx_unpickle_NDArrayBacked",
        "pandas.arrays.StringArray",
        "pandas.arrays.ArrowStringArray",
        "pandas.core.arrays.string_.StringArray",
        "pandas.core.arrays.string_.StringDtype",
        "pandas.core.arrays.string_.StringArrayNumpySemantics",
        "pandas.core.arrays.string_arrow.ArrowStringArray",
        "pandas.core.arrays.string_arrow.ArrowStringArrayNumpySemantics",
        "pyarrow.lib._restore_array",
        "pyarrow.lib.py_buffer",
        "pyarrow.lib.type_for_alias",
        "pyarrow.lib.ChunkedArray",
        "pyarrow.lib.chunked_array",
        "builtins.slice",
        "builtins.bytearray",
        "builtins.complex",
        "builtins.set",
        "builtins.frozenset",
        "builtins.object",
        "__builtin__.slice",
        "__builtin__.bytearray",
        "__builtin__.object",
        "collections.OrderedDict",
        "collections.defaultdict",
        "pathlib.Path",
        "pathlib.PosixPath",
        "pathlib.WindowsPath",
        "pathlib.PurePosixPath",
        "pathlib.PureWindowsPath",
        "pathlib._local.PosixPath",
        "pathlib._local.WindowsPath",
        "_codecs.encode",
        "copyreg._reconstructor",
        "copy_reg._reconstructor",
    }
)
# Modules whose names are carried along unread: sympy trees beside the equation text, configuration records, and the
# user's own sympy functions, which live in __main__. None is resolved, so a name here gives a file no power.
_MODULES = re.compile(
    r"sympy\.core\.(?:add|mul|power|numbers|symbol|function|relational|mod|basic|expr|singleton|containers)"
    r"|sympy\.functions\.(?:elementary|special|combinatorial)\.[a-z_]+"
    r"|sympy\.(?:logic\.boolalg|codegen\.cfunctions)|pysr\.(?:mutations|plugins)|__main__",
    re.ASCII,
)
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_UNDEFINED_FUNCTION = "sympy.core.function._rebuild_undef"
_GETATTR = "builtins.getattr"


def _is_julia_value(record: Any) -> bool:
    """The one getattr that PySR 1.x writes (a live Julia value of a template); it is neither made nor read."""
    return (
        isinstance(record, Record)
        and record.path == _GETATTR
        and len(record.arguments) == 2
        and isinstance(record.arguments[0], Ref)
        and record.arguments[0].module == "juliacall"
        and record.arguments[1] == "_jl_deserialize"
    )


_MARK = object()
_PLAIN: dict[str, Any] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_LITERALS = frozenset(
    {
        "BININT",
        "BININT1",
        "BININT2",
        "LONG1",
        "LONG4",
        "BINFLOAT",
        "SHORT_BINUNICODE",
        "BINUNICODE",
        "BINUNICODE8",
        "SHORT_BINBYTES",
        "BINBYTES",
        "BINBYTES8",
        "BYTEARRAY8",
        "SHORT_BINSTRING",
        "BINSTRING",
    }
)


class _Machine:
    """The stack machine, with records in place of objects."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.depths: dict[int, int] = {}  # of the tuples made so far, by id; the tuples stay alive in `kept`
        self.kept: list[Any] = []

    def pop(self) -> Any:
        if not self.stack or self.stack[-1] is _MARK:
            raise LoadError("damaged pickle: a value is missing on its stack")
        return self.stack.pop()

    def top(self) -> Any:
        if not self.stack or self.stack[-1] is _MARK:
            raise LoadError("damaged pickle: a value is missing on its stack")
        return self.stack[-1]

    def pop_to_mark(self) -> list[Any]:
        for at in range(len(self.stack) - 1, -1, -1):
            if self.stack[at] is _MARK:
                found = self.stack[at + 1 :]
                del self.stack[at:]
                return found
        raise LoadError("damaged pickle: a mark is missing on its stack")

    def push_tuple(self, values: list[Any]) -> None:
        made = tuple(values)
        depth = 1 + max((self.depths.get(id(v), 0) for v in values), default=0)
        if depth > MAX_DEPTH:
            raise LoadError(f"the pickle nests tuples more than {MAX_DEPTH} deep")
        self.depths[id(made)] = depth
        self.kept.append(made)
        self.stack.append(made)

    def put(self, index: int) -> None:
        if not 0 <= index < MAX_OPCODES:
            raise LoadError(f"damaged pickle: memo index {index}")
        self.memo[index] = self.top()

    def get(self, index: int) -> None:
        if index not in self.memo:
            raise LoadError(f"damaged pickle: memo index {index} is not set")
        self.stack.append(self.memo[index])

    def extend(self, values: list[Any]) -> None:
        top = self.top()
        if isinstance(top, list):
            top.extend(values)
        elif isinstance(top, Record):
            top.elements.extend(values)
        else:
            raise LoadError(f"damaged pickle: elements for a {type(top).__name__}")

    def set_items(self, values: list[Any]) -> None:
        if len(values) % 2:
            raise LoadError("damaged pickle: a key without a value")
        top = self.top()
        for key, value in zip(values[::2], values[1::2], strict=True):
            if isinstance(top, Record):
                top.items.append((key, value))
            elif not isinstance(top, dict):
                raise LoadError(f"damaged pickle: items for a {type(top).__name__}")
            elif key is None or isinstance(key, str | int | float | bytes | Ref | Record):
                top[key] = value
            else:
                raise LoadError(f"the pickle uses a {type(key).__name__} as a key, which no PySR model does")

    def name(self, module: Any, name: Any) -> None:
        if not (isinstance(module, str) and isinstance(name, str) and _IDENTIFIER.fullmatch(name)):
            raise LoadError(f"the pickle refers to {f'{module}.{name}'[:80]!r}, which is not a plain global")
        path = f"{module}.{name}"
        if path not in _EXACT and path != _GETATTR and not _MODULES.fullmatch(module):
            raise LoadError(f"the pickle refers to {path[:80]!r}, which no PySR model needs")
        self.stack.append(Ref(module, name))

    def call(self, opcode: str, keywords: Any = None) -> None:
        arguments, target = self.pop(), self.pop()
        nested = isinstance(target, Record) and (
            _is_julia_value(target) if opcode == "REDUCE" else target.path == _UNDEFINED_FUNCTION
        )
        if not (isinstance(target, Ref) or nested) or not isinstance(arguments, tuple):
            raise LoadError(f"the pickle calls a {type(target).__name__}, which no PySR model does")
        made = Record(target, arguments, keywords)
        if made.path == _GETATTR and not _is_julia_value(made):
            raise LoadError("the pickle calls getattr, which no PySR model needs")
        self.stack.append(made)

    def build(self) -> None:
        state, top = self.pop(), self.top()
        if not isinstance(top, Record) or top.built:
            raise LoadError("damaged pickle: state for something that was not constructed, or twice")
        top.state, top.built = state, True

    def new_with_keywords(self) -> None:
        keywords = self.pop()
        if not isinstance(keywords, dict):
            raise LoadError("damaged pickle: keywords that are not a dictionary")
        self.call("NEWOBJ_EX", keywords)

    def global_by_text(self, argument: str) -> None:
        module, _, name = argument.partition(" ")
        self.name(module, name)

    def global_by_stack(self) -> None:
        name, module = self.pop(), self.pop()
        self.name(module, name)

    def discard(self) -> NoReturn:
        raise LoadError("the pickle throws a value away, which no PySR model does")


_ACTIONS: dict[str, Callable[[_Machine, Any], None]] = {
    "MEMOIZE": lambda m, _: m.put(len(m.memo)),
    "BINPUT": lambda m, a: m.put(a),
    "LONG_BINPUT": lambda m, a: m.put(a),
    "BINGET": lambda m, a: m.get(a),
    "LONG_BINGET": lambda m, a: m.get(a),
    "MARK": lambda m, _: m.stack.append(_MARK),
    "EMPTY_DICT": lambda m, _: m.stack.append({}),
    "EMPTY_LIST": lambda m, _: m.stack.append([]),
    "EMPTY_SET": lambda m, _: m.stack.append([]),
    "FROZENSET": lambda m, _: m.stack.append(m.pop_to_mark()),
    "TUPLE": lambda m, _: m.push_tuple(m.pop_to_mark()),
    "TUPLE1": lambda m, _: m.push_tuple([m.pop()]),
    "TUPLE2": lambda m, _: m.push_tuple([m.pop(), m.pop()][::-1]),
    "TUPLE3": lambda m, _: m.push_tuple([m.pop(), m.pop(), m.pop()][::-1]),
    "APPEND": lambda m, _: m.extend([m.pop()]),
    "APPENDS": lambda m, _: m.extend(m.pop_to_mark()),
    "ADDITEMS": lambda m, _: m.extend(m.pop_to_mark()),
    "SETITEM": lambda m, _: m.set_items([m.pop(), m.pop()][::-1]),
    "SETITEMS": lambda m, _: m.set_items(m.pop_to_mark()),
    "STACK_GLOBAL": lambda m, _: m.global_by_stack(),
    "GLOBAL": lambda m, a: m.global_by_text(a),
    "REDUCE": lambda m, _: m.call("REDUCE"),
    "NEWOBJ": lambda m, _: m.call("NEWOBJ"),
    "NEWOBJ_EX": lambda m, _: m.new_with_keywords(),
    "BUILD": lambda m, _: m.build(),
    "PROTO": lambda m, _: None,
    "FRAME": lambda m, _: None,
    "POP": lambda m, _: m.discard(),
}


def _walk(machine: _Machine, data: bytes) -> int:
    """Run all opcodes; the position after the last one."""
    for count, (opcode, argument, position) in enumerate(pickletools.genops(data)):
        name = opcode.name
        if count >= MAX_OPCODES:
            raise LoadError(f"the pickle has more than {MAX_OPCODES} opcodes")
        if name in _LITERALS:
            machine.stack.append(argument)
        elif name in _PLAIN:
            machine.stack.append(_PLAIN[name])
        elif name == "STOP":
            return (position or 0) + 1
        elif name in _ACTIONS:
            _ACTIONS[name](machine, argument)
        else:
            raise LoadError(f"the pickle uses the opcode {name}, which no PySR model needs")
    return 0


def read_pickle(data: bytes) -> Any:
    """The inert tree of a pickle (protocol 2 to 5). Raises LoadError, and nothing else, whatever the bytes are."""
    if len(data) > MAX_BYTES:
        raise LoadError(f"a pickle of {len(data)} bytes; the limit is {MAX_BYTES}")
    if data[:1] != b"\x80":
        raise LoadError("not a binary pickle (protocol 2 or newer); a compressed joblib file?")
    machine = _Machine()
    try:
        end = _walk(machine, data)
    except LoadError:
        raise
    except Exception as error:  # pickletools raises whatever the bytes make it raise
        raise LoadError(f"damaged pickle: {' '.join(str(error).split())[:200]}") from None
    if end != len(data):
        raise LoadError(f"{len(data) - end} bytes after the end of the pickle (a joblib file?)")
    if len(machine.stack) != 1 or machine.stack[0] is _MARK:
        raise LoadError("damaged pickle: it does not end with one value")
    return machine.stack[0]
