"""Names from a formula → names that are legal, distinct and harmless in Verilog or in C++."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Literal

Language = Literal["verilog", "c++"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# IEEE 1364-2005 and 1800-2017, so that the text may be read in either mode.
_VERILOG = _words("""
    accept_on alias always always_comb always_ff always_latch and assert assign assume automatic before begin bind
    bins binsof bit break buf bufif0 bufif1 byte case casex casez cell chandle checker class clocking cmos config
    const constraint context continue cover covergroup coverpoint cross deassign default defparam design disable
    dist do edge else end endcase endchecker endclass endclocking endconfig endfunction endgenerate endgroup
    endinterface endmodule endpackage endprimitive endprogram endproperty endsequence endspecify endtable endtask
    enum event eventually expect export extends extern final first_match for force foreach forever fork forkjoin
    function generate genvar global highz0 highz1 if iff ifnone ignore_bins illegal_bins implements implies import
    incdir include initial inout input inside instance int integer interconnect interface intersect join join_any
    join_none large let liblist library local localparam logic longint macromodule matches medium modport module
    nand negedge nettype new nexttime nmos nor noshowcancelled not notif0 notif1 null or output package packed
    parameter pmos posedge primitive priority program property protected pull0 pull1 pulldown pullup
    pulsestyle_ondetect pulsestyle_onevent pure rand randc randcase randsequence rcmos real realtime ref reg
    reject_on release repeat restrict return rnmos rpmos rtran rtranif0 rtranif1 s_always s_eventually s_nexttime
    s_until s_until_with scalared sequence shortint shortreal showcancelled signed small soft solve specify
    specparam static std string strong strong0 strong1 struct super supply0 supply1 sync_accept_on sync_reject_on
    table tagged task this throughout time timeprecision timeunit tran tranif0 tranif1 tri tri0 tri1 triand trior
    trireg type typedef union unique unique0 unsigned until until_with untyped use uwire var vectored virtual void
    wait wait_order wand weak weak0 weak1 while wildcard wire with within wor xnor xor
""")

# ISO C++20, with the alternative tokens; then C names that headers like to define as macros or that <cmath> puts into
# the global namespace, which a port of the same name would hide.
_CPP = _words("""
    alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t char16_t char32_t class
    co_await co_return co_yield compl concept const const_cast consteval constexpr constinit continue decltype
    default delete do double dynamic_cast else enum explicit export extern false final float for friend goto if
    import inline int long module mutable namespace new noexcept not not_eq nullptr operator or or_eq override
    private protected public register reinterpret_cast requires restrict return short signed sizeof static
    static_assert static_cast struct switch template this thread_local throw true try typedef typeid typename union
    unsigned using virtual void volatile wchar_t while xor xor_eq
""")
_C_LIBRARY = _words("""
    NULL EOF INFINITY NAN HUGE_VAL M_PI M_E I BUFSIZ RAND_MAX errno assert main std stdin stdout stderr linux unix
    near far int8_t int16_t int32_t int64_t uint8_t uint16_t uint32_t uint64_t size_t ptrdiff_t ap_int ap_uint
    ap_fixed ap_ufixed half hls abs div exit abort atoi free malloc printf rand srand system time clock index min
    max pow exp exp2 expm1 log log2 log10 log1p sqrt cbrt hypot sin cos tan asin acos atan atan2 sinh cosh tanh
    asinh acosh atanh erf erfc tgamma lgamma gamma floor ceil trunc round rint fabs fmod fmin fmax signbit isnan
    isinf isfinite
""")

_OWN: dict[Language, frozenset[str]] = {
    "verilog": frozenset({"clk", "in_valid", "out_valid", "valid"}),
    "c++": frozenset(),
}

# The simulators that turn Verilog into C++ keep its names, so C++ keywords are avoided there too.
_RESERVED: dict[Language, frozenset[str]] = {
    "verilog": _VERILOG | _CPP | _OWN["verilog"],
    "c++": _CPP | _C_LIBRARY | _OWN["c++"],
}


def safe_names(names: Iterable[str], language: Language) -> dict[str, str]:
    """Each name with the one to use in the language: itself wherever it can be, else with `_`, `_2`, ... appended.

    Args:
        names: distinct identifiers (letters, digits, underscores), such as all ports of a design; their order decides
            who keeps a name that two would like, except that a harmless name is always kept.
        language: "verilog" (safe as port or module name in Verilog, SystemVerilog and in the C++ that simulators make
            of it) or "c++" (safe as parameter or variable; put
            functions into a namespace).

    Returns:
        A one-to-one mapping in the order of `names`.
    """
    wanted = list(dict.fromkeys(names))
    kept = {name for name in wanted if _harmless(name, language)}
    result: dict[str, str] = {}
    for name in wanted:
        result[name] = name if name in kept else _renamed(name, kept, language)
        kept.add(result[name])
    return result


def fresh_prefix(taken: Collection[str], wish: str) -> str:
    """A prefix for numbered names (`wish` followed by digits and more) with which no name in `taken` starts.

    `wish` itself when possible; then `wish` followed by `_`, `_2_`, `_3_`, ...
    """
    candidate, number = wish, 1
    while any(name.startswith(candidate) and name[len(candidate) : len(candidate) + 1].isdigit() for name in taken):
        candidate = f"{wish}_" if number == 1 else f"{wish}_{number}_"
        number += 1
    return candidate


def _harmless(name: str, language: Language) -> bool:
    # a leading or a double underscore is reserved in C++ and mangled by simulators
    return name not in _RESERVED[language] and not name.startswith("_") and "__" not in name


def _renamed(name: str, kept: Collection[str], language: Language) -> str:
    stem = name.lstrip("_")
    while "__" in stem:
        stem = stem.replace("__", "_")
    if not stem or stem[0].isdigit():
        stem = f"p{'_' if stem else ''}{stem}"
    stem = stem.rstrip("_")
    number = 1
    candidate = stem if stem != name else f"{stem}_"
    while candidate in kept or not _harmless(candidate, language):
        candidate = f"{stem}_" if number == 1 else f"{stem}_{number}"
        number += 1
    return candidate
