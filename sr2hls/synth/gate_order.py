"""A graph of gates → the same logic with registers as wires, and how many registers lie before each node."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sr2hls.errors import MismatchError
from sr2hls.synth.gates import AND, ANYTHING, PRODUCT_BIT, REGISTER, Graph, Product

Multiplier = Callable[[int, Product], tuple[int, ...]]  # (its index, operands as literals of the copy) → result


def through_registers(graph: Graph) -> list[int]:
    """All nodes that the outputs need, each after what it reads; a register after its data. MismatchError: a loop."""
    roots = [bit >> 1 for word in graph.outputs.values() for bit in word]
    done, begun, order = set[int](), set[int](), list[int]()
    stack = list(reversed(roots))
    while stack:
        node = stack[-1]
        if node in done:
            stack.pop()
            continue
        missing = [source for source in sources(graph, node) if source not in done]
        if not missing:
            stack.pop()
            done.add(node)
            order.append(node)
        elif node in begun:
            raise MismatchError("the netlist holds a loop through a register; a pipeline has none")
        else:
            begun.add(node)
            stack += missing
    return order


def sources(graph: Graph, node: int) -> Sequence[int]:
    """The nodes that a node reads."""
    kind = graph.kinds[node]
    if kind == AND:
        return graph.left[node] >> 1, graph.right[node] >> 1
    if kind == REGISTER:
        return (graph.data[node] >> 1,)
    if kind == PRODUCT_BIT:
        product = graph.products[graph.owner[node]]
        return [bit >> 1 for bit in (*product.a, *product.b)]
    return ()


def registers_before(graph: Graph, order: Sequence[int]) -> dict[int, int]:
    """Node → registers between it and the inputs that it depends on; nodes without such inputs are left out.

    Raises MismatchError where two paths of different counts meet.
    """
    from_inputs = {bit >> 1 for word in graph.inputs.values() for bit in word}
    found: dict[int, int] = {}
    for node in order:
        counts = {found[source] for source in sources(graph, node) if source in found}
        if len(counts) > 1:
            some = " and ".join(str(count) for count in sorted(counts))
            raise MismatchError(f"paths that cross {some} registers meet in the netlist")
        if node in from_inputs:
            found[node] = 0
        elif counts:
            found[node] = counts.pop() + (graph.kinds[node] == REGISTER)
    return found


def copied(source: Graph, into: Graph, multiplier: Multiplier | None = None) -> dict[str, tuple[int, ...]]:
    """Copy the logic, registers as wires, into another graph; inputs of the same name are shared.

    Returns the output ports as literals of `into`. Raises MismatchError on a loop.

    Args:
        multiplier: what stands for a product, default: the product itself.
    """
    literals = {0: 0}
    for name, word in source.inputs.items():
        own = into.inputs.setdefault(name, ())
        if not own:
            own = into.inputs[name] = into.word(len(word))
        literals.update((bit >> 1, new) for bit, new in zip(word, own, strict=True))

    def new(literal: int) -> int:
        return literals[literal >> 1] ^ (literal & 1)

    for node in through_registers(source):
        kind = source.kinds[node]
        if node in literals:
            continue
        if kind == AND:
            literals[node] = into.both(new(source.left[node]), new(source.right[node]))
        elif kind == REGISTER:
            literals[node] = new(source.data[node])
        elif kind == ANYTHING:
            literals[node] = into.add(ANYTHING)
        else:
            index = source.owner[node]
            old = source.products[index]
            a, b = (tuple(new(bit) for bit in word) for word in (old.a, old.b))
            width = len(old.bits)
            if multiplier is None:
                bits = into.product(a, b, old.signed, width)
            else:
                bits = multiplier(index, Product(a, b, old.signed, old.bits))
            literals.update(zip(old.bits, bits, strict=True))
    return {name: tuple(new(bit) for bit in word) for name, word in source.outputs.items()}


def as_wires(graph: Graph) -> Graph:
    """The same logic with registers as wires."""
    made = Graph()
    made.outputs = copied(graph, made)
    return made
