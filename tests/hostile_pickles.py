"""Hostile and damaged pickles, made on the spot; their payload touches a file that must never appear."""

from __future__ import annotations

import os
import pickle
import struct
import subprocess
from pathlib import Path


class Call:
    """Pickled as a call of `function` with `arguments`."""

    def __init__(self, function: object, *arguments: object) -> None:
        self.function, self.arguments = function, arguments

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return self.function, self.arguments


def _short(text: str) -> bytes:
    data = text.encode()
    return b"\x8c" + bytes([len(data)]) + data


def hostile(good: bytes, target: Path) -> dict[str, bytes]:
    """{name: bytes}; run by `pickle.load`, several of them would create `target`. `good` is an honest checkpoint."""
    command = f"touch {target}"
    python = f"__import__('os').system({command!r})"
    call = pickle.dumps(Call(os.system, command), protocol=4)
    body = call[11:-1]  # without PROTO, FRAME and STOP
    return {
        "os_system": call,
        "os_system_protocol_0": pickle.dumps(Call(os.system, command), protocol=0),
        "popen_protocol_2": pickle.dumps(Call(subprocess.Popen, ["touch", str(target)]), protocol=2),
        "eval": pickle.dumps(Call(eval, python)),
        "exec_as_field": pickle.dumps({"equations_": Call(exec, python)}),
        "getattr": b"\x80\x04" + _short("builtins") + _short("getattr") + b"\x93" + _short("a") * 2 + b"\x86R.",
        "spliced_before": good[:2] + body + b"0" + good[2:],
        "spliced_inside": good[:-1] + body + b"0.",
        "sympify": b"\x80\x04" + _short("sympy") + _short("sympify") + b"\x93" + _short(python) + b"\x85R.",
        "sympify_in_core": b"\x80\x04"
        + _short("sympy.core.sympify")
        + _short("sympify")
        + b"\x93"
        + _short(python)
        + b"\x85R.",
        "dotted_name": b"\x80\x04" + _short("numpy") + _short("f2py.os.system") + b"\x93.",
        "dotted_name_of_allowed": b"\x80\x04" + _short("sympy.core.add") + _short("sympify.eval") + b"\x93.",
        "newline_in_module": b"\x80\x04" + _short("sympy.core.add\nos") + _short("system") + b"\x93.",
        "name_not_text": b"\x80\x04K\x01K\x02\x93.",
        "persistent_id": b"\x80\x04" + _short("x") + b"Q.",
        "extension": b"\x80\x04\x82\x01.",
        "inst": b"\x80\x02(S'" + command.encode() + b"'\nios\nsystem\n.",
        "obj": b"\x80\x02(cos\nsystem\nX\x01\x00\x00\x00ao.",
        "memo_bomb": b"\x80\x04Nr\xff\xff\xff\x7f.",
        "memo_unset": b"\x80\x04h\x05.",
        "bytes_bomb": b"\x80\x05\x96" + struct.pack("<Q", 1 << 60) + b"x.",
        "text_bomb": b"\x80\x04X" + struct.pack("<I", 0xFFFFFFF0) + b"x.",
        "deep_tuples": b"\x80\x04N" + b"\x85" * 100_000 + b".",
        "many_opcodes": b"\x80\x04" + b"N" * 1_100_000 + b".",
        "self_containing": b"\x80\x04]\x94h\x00ah\x00a.",
        "stack_underflow": b"\x80\x04\x85.",
        "mark_as_value": b"\x80\x04(\x85.",
        "tuple_as_key": b"\x80\x04}))s.",
        "two_values": b"\x80\x04NN.",
        "no_stop": b"\x80\x04N",
        "dictionary": pickle.dumps({"a": 1}),
        "path": pickle.dumps(Path("data")),
        "truncated": good[: len(good) // 2],
        "trailing": good + b"junk",
        "built_twice": good[:-1] + b"}b.",
        "not_a_pickle": b"PK\x03\x04" + bytes(100),
        "only_a_byte": b"\x80",
    }
