"""A formula → the cheapest equal term that an e-graph holds, by egglog; used by benchmarks/rewriting_egglog.py.

The rules are the families of sr2hls/rewrite/rules, those that effort "normal" uses. Facts about signs say where a root
or a logarithm may be split. The cost is that of the steps that the compiler would make of a term: a part over one
variable is one function, a polynomial over a step is multiplied out, and a step that is used twice counts once.
egglog's extractor is greedy: it keeps one best term of every class.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, total_ordering
from typing import Any

PRODUCT, FUNCTION, OF_INPUT, LINEAR = 1.0, 3.0, 1.5, 0.2  # as in sr2hls/wordlength/forms.py
NODE = 0.001  # an e-node: among equal steps the shorter term
MOST = 8  # the highest degree that is multiplied out

# Expressions; Pow has a constant exponent. Constant holds a number that is not rational, Other any other function.
PROGRAM = """
(datatype E (Num BigRat) (Constant String) (Var String) (Add E E) (Mul E E) (Pow E BigRat)
  (Exp E) (Log E) (Sin E) (Cos E) (Other String E))
(relation Positive (E))
(ruleset signs)
(ruleset identities)
"""
# Each line: left => right, or left <=> right, then the conditions. #n is a rational number; a, b, c are terms.
IDENTITIES = """
(Add a b) => (Add b a)
(Mul a b) => (Mul b a)
(Add a (Add b c)) <=> (Add (Add a b) c)
(Mul a (Mul b c)) <=> (Mul (Mul a b) c)
(Add (Num m) (Num n)) => (Num (+ m n))
(Mul (Num m) (Num n)) => (Num (* m n))
(Add a (Num #0)) => a
(Mul a (Num #1)) => a
(Mul a (Num #0)) => (Num #0)
(Mul a (Add b c)) <=> (Add (Mul a b) (Mul a c))
(Add a (Mul a b)) => (Mul a (Add (Num #1) b))
(Add a a) => (Mul (Num #2) a)
(Pow a #1) => a
(Mul a a) => (Pow a #2)
(Mul a (Pow a n)) => (Pow a (+ n #1)) ; (!= n #-1)
(Mul a (Pow a #-1)) => (Num #1)
(Mul (Pow a m) (Pow a n)) => (Pow a (+ m n)) ; (!= (+ m n) #0)
(Pow a n) => (Mul a (Pow a (- n #1))) ; (= n (floor n)) (> n #1) (< n #5)
(Pow a n) => (Mul (Pow a #-1) (Pow a (+ n #1))) ; (= n (floor n)) (< n #-1) (> n #-5)
(Pow (Pow a m) n) => (Pow a (* m n)) ; (= n (floor n))
(Pow (Pow a m) n) => (Pow a (* m n)) ; (Positive a)
(Pow (Mul a b) n) <=> (Mul (Pow a n) (Pow b n)) ; (= n (floor n))
(Pow (Mul a b) n) <=> (Mul (Pow a n) (Pow b n)) ; (Positive a) (Positive b)
(Pow (Add a b) #2) <=> (Add (Pow a #2) (Add (Mul (Num #2) (Mul a b)) (Pow b #2)))
(Add (Pow a #2) (Mul (Num #-1) (Pow b #2))) <=> (Mul (Add a b) (Add a (Mul (Num #-1) b)))
(Add (Mul a (Pow b #-1)) c) => (Mul (Add a (Mul c b)) (Pow b #-1))
(Add (Pow b #-1) c) => (Mul (Add (Num #1) (Mul c b)) (Pow b #-1))
(Mul (Exp a) (Exp b)) <=> (Exp (Add a b))
(Pow (Exp a) n) <=> (Exp (Mul (Num n) a))
(Log (Mul a b)) <=> (Add (Log a) (Log b)) ; (Positive a) (Positive b)
(Log (Pow a n)) <=> (Mul (Num n) (Log a)) ; (Positive a)
(Sin (Mul (Num #-1) a)) <=> (Mul (Num #-1) (Sin a))
(Cos (Mul (Num #-1) a)) => (Cos a)
(Mul (Sin a) (Cos b)) => (Mul (Num #1/2) (Add (Sin (Add a b)) (Sin (Add a (Mul (Num #-1) b)))))
(Mul (Sin a) (Sin b)) => (Mul (Num #1/2) (Add (Cos (Add a (Mul (Num #-1) b))) (Mul (Num #-1) (Cos (Add a b)))))
(Mul (Cos a) (Cos b)) => (Mul (Num #1/2) (Add (Cos (Add a b)) (Cos (Add a (Mul (Num #-1) b)))))
(Add (Sin a) (Sin b)) => (Mul (Num #2) (Mul (Sin {half}) (Cos {apart})))
(Add (Sin a) (Mul (Num #-1) (Sin b))) => (Mul (Num #2) (Mul (Cos {half}) (Sin {apart})))
(Add (Cos a) (Cos b)) => (Mul (Num #2) (Mul (Cos {half}) (Cos {apart})))
(Add (Cos a) (Mul (Num #-1) (Cos b))) => (Mul (Num #-2) (Mul (Sin {half}) (Sin {apart})))
"""
HALF = {"half": "(Mul (Num #1/2) (Add a b))", "apart": "(Mul (Num #1/2) (Add a (Mul (Num #-1) b)))"}
# x = (x/y)·y where the ratio is there already: x³·f(x/y) = y³·w³·f(w)
RATIO = "(rule ((= w (Mul (Var x) (Pow (Var y) #-1)))) ((union (Var x) (Mul w (Var y)))) :ruleset identities)"
SIGNS = (
    ("((= e (Num n)) (> n #0))", "e"),
    ("((= e (Exp a)))", "e"),
    ("((= e (Add a b)) (Positive a) (Positive b))", "e"),
    ("((= e (Mul a b)) (Positive a) (Positive b))", "e"),
    ("((= e (Pow a n)) (Positive a))", "e"),
)


def program() -> str:
    """The e-graph's datatype and rules as an egglog program."""
    lines = [PROGRAM, RATIO]
    for line in IDENTITIES.format(**HALF).strip().splitlines():
        rule, _, conditions = line.partition(" ; ")
        when = f" :when ({conditions})" if conditions else ""
        left, arrow, right = rule.partition(" <=> ") if "<=>" in rule else rule.partition(" => ")
        lines.append(f"(rewrite {left} {right}{when} :ruleset identities)")
        if arrow == " <=> ":
            lines.append(f"(rewrite {right} {left}{when} :ruleset identities)")
    lines += [f"(rule {facts} ((Positive {term})) :ruleset signs)" for facts, term in SIGNS]
    return re.sub(r"#(-?\d+)(?:/(\d+))?", lambda m: f"(bigrat (bigint {m[1]}) (bigint {m[2] or 1}))", "\n".join(lines))


Key = tuple[Any, ...]


@total_ordering
@dataclass(frozen=True, eq=False)
class Steps:
    """What a term costs: the steps of the program that fusing makes of it by their e-nodes, each counted once.

    The term is a *region* over one atom (an input or a closed step) of a degree: 0 a number, 1 affine, up to 8 a
    polynomial, above that any function.
    """

    steps: dict[Key, float] = field(default_factory=dict)
    key: Key = ()
    atom: Key | None = None
    degree: int = 0
    bare: bool = True  # the atom itself, or a number
    affine: bool = False  # degree 1, and a constant is added
    nodes: int = 1
    value: Any = None  # of what is no term: a number, a name

    @cached_property
    def closing(self) -> float:
        if self.bare:
            return 0.0
        if self.degree == 1:
            return LINEAR
        if self.atom is not None and self.atom[0] == "Var":
            return OF_INPUT
        return PRODUCT * (self.degree - 1) if self.degree <= MOST else FUNCTION

    @cached_property
    def total(self) -> float:
        return sum(self.steps.values()) + self.closing + NODE * self.nodes

    def __lt__(self, other: Steps) -> bool:
        return self.total < other.total

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Steps) and self.total == other.total

    __hash__ = None  # type: ignore[assignment]


def combined(head: str, key: Key, parts: Sequence[Steps]) -> Steps:
    """The steps of a term from those of its parts."""
    if head in ("Num", "Constant"):
        return Steps()
    if head == "Var":
        return Steps({}, key, ("Var", parts[0].value), 1)
    nodes = 1 + sum(part.nodes for part in parts)
    terms = [part for part in parts if part.value is None]
    varying = [part for part in terms if part.degree]
    if not varying:
        return Steps(nodes=nodes)
    steps = {step: weight for part in varying for step, weight in part.steps.items()}
    if len({part.atom for part in varying}) > 1:
        for part in varying:
            if part.degree > 1 or (head == "Mul" and part.affine):
                steps[*part.key, "closed"] = part.closing
        return Steps(steps | {key: PRODUCT if head == "Mul" else LINEAR}, key, key, 1, nodes=nodes)
    degree, affine = MOST + 1, False
    if head == "Add":
        degree, affine = max(part.degree for part in varying), len(terms) > len(varying)
    elif head == "Mul":
        degree = sum(part.degree for part in varying)
        affine = any(part.affine for part in varying)
    elif head == "Pow" and parts[1].value.denominator == 1 and parts[1].value > 1:
        degree = int(terms[0].degree * parts[1].value)
    affine = affine or any(part.affine for part in varying)
    return Steps(steps, key, varying[0].atom, min(degree, MOST + 1), False, affine, nodes)


@dataclass(frozen=True)
class Limit:
    """Where saturation ends: the first iteration that would leave more e-nodes is undone."""

    iterations: int
    nodes: int
    seconds: float


@dataclass(frozen=True)
class Found:
    """The extracted term: a table of nodes (head, then parts or what they hold), its root, and how it was found."""

    terms: dict[int, tuple[Any, ...]]
    root: int
    nodes: int
    ended: str


def saturated(bindings: Any, text: str, positive: Sequence[str], limit: Limit) -> Found:
    """Grow an e-graph from a term and extract the cheapest equal one."""
    graph = bindings.EGraph()

    def run(commands: str) -> Any:
        return graph.run_program(*graph.parse_program(commands))

    run(program())
    run("".join(f'(Positive (Var "{name}"))' for name in positive) + f"(let $root {text})")
    start, nodes, ended = time.process_time(), 0, f"{limit.iterations} iterations"
    for count in range(limit.iterations):
        if time.process_time() - start > limit.seconds:
            ended = f"{limit.seconds:g} s"
            break
        step = run("(push)(run-schedule (saturate (run signs)))(run-schedule (run identities))(print-size)")
        size = sum(rows for name, rows in step[-1].sizes if name != "Positive")
        if size > limit.nodes:
            run("(pop)")
            ended = f"nodes, {count} iterations"
            break
        nodes = size
        if not step[-2].report.updated:
            ended = "saturated"
            break
    return extracted(bindings, graph, nodes, ended)


def extracted(bindings: Any, graph: Any, nodes: int, ended: str) -> Found:
    """The cheapest term of the class of $root."""

    def held(sort: str, value: Any) -> Steps:
        return Steps(value=graph.value_to_bigrat(value) if sort == "BigRat" else graph.value_to_string(value), nodes=0)

    keys, containers = lambda head, values: (head, *values), lambda _sort, _value, _parts: Steps()
    model = bindings.CostModel(combined, keys, containers, held)
    sort, root = graph.eval_expr(graph.parse_program("(extract $root)")[0].args[0])
    dag = bindings.TermDag()
    _, top = bindings.Extractor([sort], graph, model).extract_best(graph, dag, root, sort)
    terms: dict[int, tuple[Any, ...]] = {}
    waiting = [top]
    while waiting:
        at = waiting.pop()
        if at not in terms:
            term = dag.get(at)
            is_literal = isinstance(term, bindings.TermLit)
            terms[at] = ("literal", term.value.value) if is_literal else (term.name, *term.args)
            waiting += [] if is_literal else term.args
    return Found(terms, top, nodes, ended)
