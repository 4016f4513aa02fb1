"""`Design` → hls4ml `ModelGraph` on its stock Vivado and Vitis backends, with the same HLS C++ inside.

Only documented extension points are used (`register_layer`, `Backend.register_template`), with `create_config`,
`ModelGraph.from_layer_list` and `Source`, as hls4ml's own converters do; hls4ml >= 1.2. The model compiles,
predicts, builds and reports as any other; its numbers are those of the emulator, bit for bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sr2hls.design import Design
from sr2hls.emit.design_json import short_digest
from sr2hls.emit.hls import (
    hls_statements,
    hls_tables,
    local_prefix,
    port_names,
    port_type,
    top_name,
    uses_leading_zeros,
)
from sr2hls.emit.text import render
from sr2hls.errors import FormatError, ToolError, UnsupportedError
from sr2hls.formats import Format

LAYER = "Sr2hlsCircuit"
BACKENDS = ("Vivado", "Vitis")
MODES = ",AP_RND,AP_SAT"  # how the ports round doubles: to nearest, ties up; codes pass unchanged
_DOUBLE_BITS = 53
# words of the files that hls4ml generates around the layer
_TAKEN = frozenset({"input", "model", "nnet", "result", "weights", "circuit", "loaded", "config", "layer"})

Names = dict[str, str]


def to_hls4ml(
    design: Design,
    output_dir: Path | str,
    backend: Literal["Vitis", "Vivado"] = "Vitis",
    *,
    project_name: str | None = None,
    **options: Any,
) -> Any:
    """An hls4ml `ModelGraph` of the design; nothing is written before its `compile()`, `write()` or `build()`.

    Every port is an array of shape (n, 1): see `predict_codes`, `codes_to_values`, `values_to_codes`.

    Args:
        output_dir: the folder that hls4ml writes.
        backend: "Vitis" or "Vivado".
        project_name: the top function; by default the design's name.
        options: passed to hls4ml's `create_config`, such as part, clock_period, clock_uncertainty.

    Raises:
        ToolError: hls4ml is not installed or too old. UnsupportedError: a backend or a design that this way does
        not carry (other than io_parallel, a design without inputs).
    """
    if backend not in BACKENDS:
        raise UnsupportedError(f"hls4ml backend '{backend}': choose {' or '.join(BACKENDS)}")
    if not design.input_formats:
        raise UnsupportedError(
            f"'{design.name}' has no inputs: hls4ml has no model without an input; use the HLS project"
        )
    if options.setdefault("io_type", "io_parallel") != "io_parallel":
        raise UnsupportedError("the circuit has plain ports: hls4ml's io_type must be io_parallel")
    _register()
    from hls4ml.model.graph import ModelGraph
    from hls4ml.utils.config import create_config

    if design.target.part.startswith("xc"):
        options.setdefault("part", design.target.part)
    options.setdefault("clock_period", float(f"{design.clock_ns:g}"))
    names = model_names(design)
    project = project_name or _project_name(design, names)
    config = create_config(
        output_dir=str(output_dir), project_name=project, backend=backend, write_weights_txt=False, **options
    )
    inputs = {names[name]: port_type(fmt, MODES) for name, fmt in design.input_formats.items()}
    outputs = {names[name]: port_type(fmt, MODES) for name, fmt in design.output_formats.items()}
    config["HLSConfig"] = {
        "Model": {"Precision": {"default": next(iter(inputs.values()))}, "ReuseFactor": 1},
        "LayerName": {name: {"Precision": {"result": precision}} for name, precision in inputs.items()},
    }
    layers: list[dict[str, Any]] = [{"name": name, "class_name": "InputLayer", "input_shape": [1]} for name in inputs]
    layers.append(
        {
            "name": "circuit",
            "class_name": LAYER,
            "inputs": list(inputs),
            "outputs": list(outputs),
            "precisions": list(outputs.values()),
            "function": _function_name(design),
            "text": hls4ml_function(design),
        }
    )
    return ModelGraph.from_layer_list(config, layers, inputs=list(inputs), outputs=["circuit"])


def hls4ml_function(design: Design) -> str:
    """The C++ function (inside hls4ml's namespace) that the layer calls."""
    function = _function_name(design)
    prefix = local_prefix(design, f"{function}_")
    names = port_names(design)
    return render(
        "hls/hls4ml_function.h.j2",
        name=design.name,
        digest=short_digest(design),
        function=function,
        arguments=[f"{port_type(fmt, MODES)} {names[name]}" for name, fmt in design.input_formats.items()]
        + [f"{port_type(fmt, MODES)} &{names[name]}" for name, fmt in design.output_formats.items()],
        tables=hls_tables(design, prefix),
        leading_zeros=uses_leading_zeros(design),
        prefix=prefix,
        statements=hls_statements(design, prefix),
    )


def model_names(design: Design) -> Names:
    """Port → its name in hls4ml: its own, unless files of hls4ml use the word, or another port is called `NAME_t`."""
    wanted = port_names(design)
    names: Names = {}
    for port, name in wanted.items():
        candidate = name
        clash = name in _TAKEN or f"{name}_t" in wanted.values() or (name.endswith("_t") and name[:-2] in _TAKEN)
        while clash or candidate in names.values() or (candidate != name and candidate in wanted.values()):
            candidate, clash = f"{candidate}_port", False
        names[port] = candidate
    return names


def codes_to_values(design: Design, codes: Mapping[str, ArrayLike]) -> Any:
    """What `predict` takes for integer input codes: a (n, 1) array of doubles, or for several inputs a list of them.

    Raises FormatError for a port that is missing or wider than the 53 bits of a double.
    """
    arrays = []
    for name, fmt in design.input_formats.items():
        if name not in codes:
            raise FormatError(f"no codes for the input '{name}'")
        _check_width(name, fmt)
        arrays.append(
            np.ldexp(np.asarray(codes[name], dtype=np.int64).astype(np.float64), -fmt.fraction).reshape(-1, 1)
        )
    return arrays if len(arrays) > 1 else arrays[0]


def values_to_codes(design: Design, values: Any) -> dict[str, NDArray[np.int64]]:
    """The integer output codes in what `predict` returned. Raises FormatError as `codes_to_values`."""
    formats = design.output_formats
    arrays = values if len(formats) > 1 else [values]
    result = {}
    for (name, fmt), array in zip(formats.items(), arrays, strict=True):
        _check_width(name, fmt)
        result[name] = np.ldexp(np.asarray(array, dtype=np.float64).reshape(-1), fmt.fraction).astype(np.int64)
    return result


def predict_codes(design: Design, model: Any, codes: Mapping[str, ArrayLike]) -> dict[str, NDArray[np.int64]]:
    """Output codes of a compiled model for input codes."""
    return values_to_codes(design, model.predict(codes_to_values(design, codes)))


def _check_width(name: str, fmt: Format) -> None:
    if fmt.width > _DOUBLE_BITS:
        raise FormatError(f"port '{name}': hls4ml passes doubles, which cannot hold the {fmt.width} bits of {fmt}")


def _function_name(design: Design) -> str:
    return f"sr2hls_{design.name}"


def _project_name(design: Design, names: Names) -> str:
    name = top_name(design)
    return f"{name}_top" if name in names.values() or name in _TAKEN else name


def _register() -> None:
    """Make the layer known to hls4ml, once a process: hls4ml's registries are global."""
    try:
        from hls4ml.backends import get_backend
        from hls4ml.backends.template import FunctionCallTemplate
        from hls4ml.model.graph import ModelGraph
        from hls4ml.model.layers import Layer, layer_map, register_layer
        from hls4ml.model.types import Source
    except ImportError as error:
        raise ToolError(f"hls4ml is missing ({error}); install it with 'pip install \"hls4ml>=1.2\"'") from None
    if not hasattr(ModelGraph, "from_layer_list"):
        raise ToolError("this hls4ml is too old; install it with 'pip install \"hls4ml>=1.2\"'")
    if LAYER in layer_map:
        return

    class Sr2hlsCircuit(Layer):  # type: ignore[misc]
        """The whole circuit: scalar inputs, scalar outputs, each with its own type."""

        def initialize(self) -> None:
            convert = self.model.config.backend.convert_precision_string
            for name, precision in zip(self.outputs, self.get_attr("precisions"), strict=True):
                kind = f"{name}_t"
                self.add_output_variable(
                    [1], out_name=name, var_name=name, type_name=kind, precision=convert(precision)
                )
                # hls4ml keeps one result type a layer; as attributes of their own all types get declared
                self.set_attr(kind, self.get_output_variable(name).type)
            self.set_attr("circuit_code", Source(self.get_attr("text")))  # goes to nnet_code_gen.h

    class Sr2hlsCall(FunctionCallTemplate):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(Sr2hlsCircuit, include_header=[])

        def format(self, node: Any) -> str:
            space = node.model.config.get_writer_config().get("Namespace", None) or "nnet"
            variables = [node.get_input_variable(name) for name in node.inputs]
            variables += [node.get_output_variable(name) for name in node.outputs]
            return f"{space}::{node.get_attr('function')}({', '.join(f'{v.name}[0]' for v in variables)});"

    register_layer(LAYER, Sr2hlsCircuit)
    for backend in BACKENDS:
        get_backend(backend).register_template(Sr2hlsCall)
