"""The published tables that `distill_table.py` prints beside its own: (system, dimension, strategy) → text.

PAPER: Cranmer et al. 2020, arXiv 2006.11287: the R² of table 1 and the tick of table 5. REPRODUCTION: the R² of the two
components after 100 epochs in the repository of Tan, Soubki and Cranmer 2026 (SymTorch), 2D, robust fit. What is not
here was not published there, or not at hand: for the reproduction no ticks, nothing in 3D.
"""

from __future__ import annotations

_STRATEGIES = ("standard", "bottleneck", "l1", "kl")
_TABLE_1 = {
    ("charge", 2): (0.016, 0.947, 0.004, 0.185),
    ("charge", 3): (0.013, 0.980, 0.002, 0.425),
    ("r1", 2): (0.000, 1.000, 1.000, 0.796),
    ("r1", 3): (0.000, 1.000, 1.000, 0.332),
    ("r2", 2): (0.004, 0.993, 0.990, 0.770),
    ("r2", 3): (0.002, 0.994, 0.977, 0.214),
    ("spring", 2): (0.032, 1.000, 1.000, 0.883),
    ("spring", 3): (0.036, 0.995, 1.000, 0.214),
}
# Table 5, in the order of _STRATEGIES.
_TABLE_5 = {"charge": "✗✓✗✗", "r1": "✗✓✓✓", "r2": "✗✓✓✗", "spring": "✗✓✓✓"}
CELLS = [(name, dimension, strategy) for name, dimension in _TABLE_1 for strategy in _STRATEGIES]
PAPER = {
    (name, dimension, strategy): f"{_TABLE_5[name][k]} {_TABLE_1[name, dimension][k]:.3f}"
    for name, dimension, strategy in CELLS
    for k in (_STRATEGIES.index(strategy),)
}
_REPRODUCED = ("standard", "bottleneck", "l1", "kl", "pruning")
_SYMTORCH = {
    "charge": (".76/.17", ".996/.995", ".46/.92", ".01/.05", ".997/.996"),
    "r1": (".80/.03", ".839/.838", ".844/.847", ".60/.59", ".850/.837"),
    "r2": (".87/.88", ".982/.980", ".72/.79", ".85/.84", ".973/.963"),
    "spring": (".94/.90", "1.000/1.000", ".996/.999", ".80/.81", ".955/.950"),
}
REPRODUCTION = {(name, 2, strategy): _SYMTORCH[name][k] for name in _SYMTORCH for k, strategy in enumerate(_REPRODUCED)}


def paper_recovered(name: str, dimension: int, strategy: str) -> bool:
    """Whether the paper's table 5 ticks the cell."""
    return PAPER.get((name, dimension, strategy), "").startswith("✓")
