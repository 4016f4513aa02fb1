"""`Design` → the text of one Verilog-2001 module: a feed-forward pipeline with a valid bit, no reset, no stall."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sr2hls.circuit import Node, Op, Overflow
from sr2hls.design import Design
from sr2hls.emit.expressions import expression, rounded, rounded_signal, saturated
from sr2hls.emit.names import fresh_prefix, safe_names
from sr2hls.emit.pipeline import Pipeline, pipeline
from sr2hls.emit.text import render
from sr2hls.emit.words import Signal, Words, declared, literal
from sr2hls.formats import Format

_COMMENT_COLUMN = 64
_ENTRIES_PER_LINE = 4


@dataclass(frozen=True, slots=True)
class _Port:
    text: str
    comment: str = ""


@dataclass(frozen=True, slots=True)
class _Section:
    title: str
    lines: list[str]


def verilog(design: Design, digest: str = "none") -> str:
    """The module `module_name(design)`.

    Ports: `clk`, `in_valid`, `out_valid` and, by `port_names`, each input and output of the design in the exact width
    and signedness of its format. A sample presented with in_valid = 1 at one rising edge has its result, with
    out_valid = 1, `design.latency` edges later; a new sample may come at every edge. With a latency of 0 the module is
    combinational and out_valid is in_valid.

    Args:
        digest: identifies the design; it is printed in the header, and the test bench refuses another one.

    Raises:
        CircuitError: the stages of the design are not legal.
    """
    return _Printer(design).text(digest)


def module_name(design: Design) -> str:
    """The name of the Verilog module: the design's own wherever that is legal."""
    return safe_names([design.name], "verilog")[design.name]


def port_names(design: Design) -> dict[str, str]:
    """Each input and output of the design → the name of its Verilog port."""
    circuit = design.circuit
    return safe_names([name for name, _ in (*circuit.inputs, *circuit.outputs)], "verilog")


def one_line(text: str, most: int = 90) -> str:
    """A text that is safe inside a one-line comment."""
    plain = re.sub(r"\s+", " ", "".join(c if c.isprintable() else " " for c in text)).strip().rstrip("\\")
    return plain if len(plain) <= most else f"{plain[: most - 3]}..."


class _Printer:
    def __init__(self, design: Design) -> None:
        self.design = design
        self.nodes = design.circuit.nodes
        self.ports = port_names(design)
        self.prefix = fresh_prefix(self.ports.values(), "n")
        self.plan: Pipeline = pipeline(design)
        self.words = Words()
        self.signals: list[Signal] = []

    def text(self, digest: str) -> str:
        design = self.design
        sections = [self._constants(), *self._stages(), self._outputs(), self._valid()]
        sections.append(self._unread())
        return render(
            "verilog/module.v.j2",
            title=one_line("; ".join(self._formulas())),
            latency=design.latency,
            target=one_line(design.target.name),
            clock_ns=f"{design.clock_ns:g}",
            digest=one_line(digest),
            name=module_name(design),
            ports=self._ports(),
            sections=[section for section in sections if section.lines],
        )

    def _formulas(self) -> Iterable[str]:
        for name, index in self.design.circuit.outputs:
            yield f"{name} = {self.nodes[index].origin or self._name(index)}"

    def _ports(self) -> list[_Port]:
        ports = [_Port("input  wire clk"), _Port("input  wire in_valid")]
        kind = "output reg " if self.design.register_outputs else "output wire"
        for name, fmt in self.design.input_formats.items():
            ports.append(_Port(declared("input  wire", Signal.of(self.ports[name], fmt)), str(fmt)))
        ports.append(_Port("output wire out_valid"))
        for name, fmt in self.design.output_formats.items():
            ports.append(_Port(declared(kind, Signal.of(self.ports[name], fmt)), str(fmt)))
        return ports

    def _name(self, index: int, stage: int | None = None) -> str:
        first = self.plan.first.get(index)
        return f"{self.prefix}{index}" + ("" if stage is None or first is None or stage == first else f"_s{stage}")

    def _signal(self, index: int, stage: int) -> Signal:
        return Signal.of(self._name(index, stage), self.nodes[index].format)

    def _new(self, signal: Signal) -> Signal:
        self.signals.append(self.words.declare(signal))
        return signal

    def _constants(self) -> _Section:
        used = {arg for i in self.plan.first for arg in self.nodes[i].args}
        used.update(index for _, index in self.design.circuit.outputs)
        lines = []
        for index in sorted(used & self.plan.static.keys()):
            node, code = self.nodes[index], self.plan.static[index]
            signal = self._new(self._signal(index, 0))
            text = f"{declared('wire', signal)} = {literal(code, node.format)};"
            lines.append(_commented(text, node, f"{float(node.format.value(code)):.10g}"))
        return _Section("constants", lines)

    def _stages(self) -> Iterable[_Section]:
        for number, stage in enumerate(self.plan.stages):
            lines: list[str] = []
            if number == 0 and self.design.register_inputs:
                inputs = [i for i in stage.computed if self.nodes[i].op is Op.INPUT]
                lines += self._registers([(i, self.ports[self.nodes[i].name]) for i in inputs], 0)
            lines += self._registers([(i, self._name(i, number - 1)) for i in stage.registered], number)
            for index in stage.computed:
                lines += self._statement(index, number)
            yield _Section(f"stage {number}", lines)

    def _registers(self, moves: list[tuple[int, str]], stage: int) -> list[str]:
        """Declarations and one clocked block of `register <= source`."""
        if not moves:
            return []
        lines, block = [], []
        for index, source in moves:
            if stage > 0:
                before = self._signal(index, stage - 1)
                self.words.whole(before)
            signal = self._new(self._signal(index, stage))
            lines.append(_commented(f"{declared('reg', signal)};", self.nodes[index]))
            block.append(f"    {signal.name} <= {source};")
        return [*lines, "always @(posedge clk) begin", *block, "end"]

    def _statement(self, index: int, stage: int) -> list[str]:
        node = self.nodes[index]
        if node.op is Op.INPUT:
            if self.design.register_inputs:
                return []
            wire = declared("wire", self._new(self._signal(index, stage)))
            return [_commented(f"{wire} = {self.ports[node.name]};", node)]
        args = [self._signal(arg, stage) for arg in node.args]
        if node.op is Op.LOOKUP:
            return self._lookup(index, stage, args[0])
        if node.op is Op.LEADING_ZEROS:
            return self._leading_zeros(index, stage, args[0])
        lines: list[str] = []
        if node.op is Op.CAST and node.overflow is Overflow.SATURATE:
            wide = args[0]
            if wide.fraction != node.format.fraction:
                wide = self._new(rounded_signal(f"{self._name(index, stage)}_r", node, wide))
                lines.append(f"{declared('wire', wide)} = {rounded(self.words, node, args[0], wide.width)};")
            right = saturated(self.words, wide, node.format)
        else:
            right = expression(self.words, node, args)
        signal = self._new(self._signal(index, stage))
        soft = '(* use_dsp = "no" *) ' if node.op is Op.MUL and not self.design.target.has_dsp else ""
        return [*lines, _commented(f"{soft}{declared('wire', signal)} = {right};", node)]

    def _lookup(self, index: int, stage: int, address: Signal) -> list[str]:
        # a full case in a combinational block: simulators make one array of it, synthesis a ROM or logic
        node = self.nodes[index]
        table = self.design.circuit.tables[node.table]
        signal = self._new(self._signal(index, stage))
        fmt = Format(False, address.width, 0)
        entries = [f"{literal(i, fmt)}: {signal.name} = {literal(c, node.format)};" for i, c in enumerate(table.codes)]
        return [
            _commented(f"{declared('reg', signal)};", node, f"table {table.name}"),
            f"always @* case ({self.words.whole(address)})",
            *(f"    {'  '.join(row)}" for row in _rows(entries, _ENTRIES_PER_LINE)),
            "endcase",
        ]

    def _leading_zeros(self, index: int, stage: int, word: Signal) -> list[str]:
        node = self.nodes[index]
        signal = self._new(self._signal(index, stage))
        cases = []
        for zeros in range(word.width + 1):
            pattern = "0" * zeros + ("1" + "?" * (word.width - zeros - 1) if zeros < word.width else "")
            cases.append(f"    {word.width}'b{pattern}: {signal.name} = {literal(zeros, node.format)};")
        return [
            _commented(f"{declared('reg', signal)};", node, "leading zeros"),
            f"always @* casez ({self.words.whole(word)})",
            *cases,
            "endcase",
        ]

    def _outputs(self) -> _Section:
        last = self.design.stages - 1
        moves = []
        for name, index in self.design.circuit.outputs:
            source = self.words.whole(self._signal(index, last))
            moves.append((self.ports[name], source))
        if not self.design.register_outputs:
            return _Section("outputs", [f"assign {port} = {source};" for port, source in moves])
        block = [f"    {port} <= {source};" for port, source in moves]
        return _Section("outputs", ["always @(posedge clk) begin", *block, "end"])

    def _valid(self) -> _Section:
        latency = self.design.latency
        if latency == 0:
            return _Section("valid", ["assign out_valid = in_valid;"])
        older = "valid[0]" if latency == 2 else f"valid[{latency - 2}:0]"
        shifted = "in_valid" if latency == 1 else f"{{{older}, in_valid}}"
        return _Section(
            "valid",
            [
                f"{declared('reg', Signal('valid', False, latency, 0))};",
                f"initial valid = {latency}'d0;",
                f"always @(posedge clk) valid <= {shifted};",
                f"assign out_valid = {'valid' if latency == 1 else f'valid[{latency - 1}]'};",
            ],
        )

    def _unread(self) -> _Section:
        unread = self.words.unread(self.signals)
        if self.design.latency == 0:
            unread.insert(0, "clk")
        rows = list(_rows([f"{text}," for text in unread], 8))
        if not rows:
            return _Section("unread bits", [])
        lines = [f"wire {self.prefix}_unused = &{{1'b0,", *(f"    {' '.join(row)}" for row in rows)]
        lines[-1] = f"{lines[-1].rstrip(',')}}};"
        return _Section("bits that nothing reads, named here for lint", lines)


def _rows(items: list[str], count: int) -> Iterable[list[str]]:
    for start in range(0, len(items), count):
        yield items[start : start + count]


def _commented(text: str, node: Node, more: str = "") -> str:
    parts = [str(node.format), one_line(node.origin), more]
    return f"{text:<{_COMMENT_COLUMN}}  // {'  '.join(part for part in parts if part)}"
