"""Writes the part of the kernels that depends on the run: which terms, with which parameters.

Only the structure of a run goes into the text (which terms there are, what varies by region, by
cell or in time); every number stays in tables. Two runs that differ in values share their kernels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from micromag.backend.source import read_kernel_file

if TYPE_CHECKING:
    from micromag.terms.base import Term

REAL = "const real* RESTRICT"


@dataclass(frozen=True)
class Slot:
    """Where the kernels find one parameter.

    Attributes
    ----------
    member
        Name in the ``Params`` struct, e.g. ``"t0.A"``.
    offset
        First column of the parameter table.
    components
        1 or 3.
    by_region
        The table is read in the cell's own region (otherwise in the first).
    data
        Array with one value per cell that multiplies it, None without.
    """

    member: str
    offset: int
    components: int
    by_region: bool = False
    data: str | None = None

    def load(self, first: str = "") -> str:
        """Return the C expression of the value in the row of ``table`` that begins at ``first``."""
        entries = [f"table[{first}{self.offset + i}]" for i in range(self.components)]
        return entries[0] if self.components == 1 else f"V{{{', '.join(entries)}}}"


@dataclass
class Layout:
    """Everything that the model's text needs to know."""

    terms: list[Term] = field(default_factory=list)
    slots: list[Slot] = field(default_factory=list)
    faces: list[tuple[str, str]] = field(default_factory=list)
    """Member (``"t0.A"``) and data array of parameters that vary from face to face."""
    nonlocal_fields: list[tuple[str, str]] = field(default_factory=list)
    """Member (``"t2"``) and array of fields made between stages."""
    ends: list[tuple[str, str]] = field(default_factory=list)
    """Member and array of the nonlocal fields of what lies beyond a moving window."""
    noises: list[tuple[str, str]] = field(default_factory=list)
    """Member and array of the terms that are noise."""
    arrays: list[str] = field(default_factory=list)
    """Names of the per-cell arrays, in the order of the kernels' arguments."""
    regions: int = 1
    regions_per_replica: bool = False
    """Whether every replica has a region array of its own, as moving windows need it."""
    width: int = 0
    """Columns of the parameter table."""

    @property
    def uses_regions(self) -> bool:
        """Whether any kernel looks up a cell's region."""
        return any(slot.by_region for slot in self.slots)

    @property
    def twists(self) -> bool:
        """Whether any term is linear in the gradient of m; see ``kernels/twist.h``."""
        return any(term.twists for term in self.terms)

    @property
    def energies(self) -> int:
        """Number of energy terms."""
        return sum(term.kind == "energy" for term in self.terms)

    @property
    def arguments(self) -> str:
        """The model's part of a kernel's signature."""
        items = [f"{REAL} par"]
        if self.uses_regions:
            items.append("const unsigned* RESTRICT region")
        return ", ".join([*items, *(f"{REAL} {name}" for name in self.arrays)])

    @property
    def argument_names(self) -> list[str]:
        """The arguments' names in order."""
        return ["par", *(["region"] if self.uses_regions else []), *self.arrays]


def model_text(layout: Layout) -> str:
    """Return the generated file ``model.cuh``."""
    kinds = {type(term): term for term in layout.terms}
    parts = [
        f"#define ENERGIES {layout.energies}",
        f"#define REGIONS {layout.regions}",
        f"#define PARAMETERS {layout.width}",
        *(["#define WINDOW_ENDS 1"] if layout.ends else []),
        *([f"#define NOISES {len(layout.noises)}"] if layout.noises else []),
        f"#define ARRAYS (Arrays{{{', '.join(layout.argument_names)}}})",
        _arrays_struct(layout),
        *(['#include "twist.h"'] if layout.twists else []),
        *(_term_struct(term, layout) for term in kinds.values()),
        *(t.snippet(read_kernel_file(f"terms/{t.key()}.cuh")) for t in kinds.values()),
        _params_struct(layout),
        _row_params(layout),
        _cell_params(layout),
        _sums(layout),
        *([_noise_field(layout)] if layout.noises else []),
        *([_surface_condition(layout)] if layout.twists else []),
    ]
    return "\n".join(parts) + "\n"


def _arrays_struct(layout: Layout) -> str:
    members = ["  const real* par;"]
    if layout.uses_regions:
        members.append("  const unsigned* region;")
    members += [f"  const real* {name};" for name in layout.arrays]
    return "struct Arrays {\n" + "\n".join(members) + "\n};"


def _term_struct(term: Term, layout: Layout) -> str:
    """Return the struct of a kind of term: one member per parameter, given in this run or not."""
    members = [
        f"  {'V' if count == 3 else 'real'} {name};"
        for name, count in term.declared_parameters().items()
    ]
    for name in term.interface:
        kind = "VectorFaces" if term.declared_parameters()[name] == 3 else "Faces"
        members += [f"  {kind} {name}_face;", f"  int {name}_varies;"]
    members += [f"  int {name};" for name in term.flags()]
    if term.nonlocal_field:
        members.append("  V field;")
        if layout.ends:
            members.append("  V ends;")
    return f"struct {type(term).__name__} {{\n" + "\n".join(members) + "\n};"


def _params_struct(layout: Layout) -> str:
    members = ["  real gamma, inv_dx, inv_dy, inv_dz, alpha, Ms, inv_Ms;"]
    members += [f"  {type(term).__name__} t{i};" for i, term in enumerate(layout.terms)]
    members += [f"  V {array};" for _, array in layout.noises]
    return "struct Params {\n" + "\n".join(members) + "\n};"


def _row_params(layout: Layout) -> str:
    """Return the function for what is the same in a whole row: uniform parameters and flags."""
    lines = [f"  p.{slot.member} = {slot.load()};" for slot in layout.slots]
    given = {slot.member for slot in layout.slots}
    varying = {member for member, _ in layout.faces}
    for i, term in enumerate(layout.terms):
        for name, count in term.declared_parameters().items():
            if f"t{i}.{name}" not in given:
                lines.append(f"  p.t{i}.{name} = {'V{0, 0, 0}' if count == 3 else '0'};")
        for name in term.interface:
            vector = term.declared_parameters()[name] == 3
            zero = "VectorFaces{}" if vector else "Faces{0, 0, 0, 0, 0, 0}"
            lines.append(f"  p.t{i}.{name}_face = {zero};")
            lines.append(f"  p.t{i}.{name}_varies = {int(f't{i}.{name}' in varying)};")
        lines += [f"  p.t{i}.{name} = {int(value)};" for name, value in term.flags().items()]
        if term.nonlocal_field:
            lines.append(f"  p.t{i}.field = V{{0, 0, 0}};")
            if layout.ends:
                lines.append(f"  p.t{i}.ends = V{{0, 0, 0}};")
    lines += [f"  p.{array} = V{{0, 0, 0}};" for _, array in layout.noises]
    return (
        "INLINE Params row_params(const Arrays& a, const Row& row) {\n"
        "  const real* table = a.par + (long)row.rep * REGIONS * PARAMETERS;\n"
        "  Params p;\n" + "\n".join(lines) + "\n  return p;\n}"
    )


def _cell_params(layout: Layout) -> str:
    """Return the function for what differs from cell to cell."""
    lines = ["  (void)a; (void)row; (void)c;"]
    if layout.uses_regions:
        # An index, not a pointer to the region's row: g++ turns only that into vector gathers.
        lines.append("  const real* table = a.par + (long)row.rep * REGIONS * PARAMETERS;")
        place = "(long)row.rep * row.n + c.i" if layout.regions_per_replica else "c.i"
        lines.append(f"  const int q = (int)a.region[{place}] * PARAMETERS;")
        lines += [f"  p.{s.member} = {s.load('q + ')};" for s in layout.slots if s.by_region]
    for slot in layout.slots:
        if slot.data is not None:
            first = f"a.{slot.data} + (long)row.rep * {slot.components} * row.n"
            value = f"({first})[c.i]" if slot.components == 1 else f"load({first}, row.n, c.i)"
            lines.append(f"  p.{slot.member} = p.{slot.member} * {value};")
    if any(s.member == "Ms" and s.data is not None for s in layout.slots):
        lines.append("  p.inv_Ms = p.Ms > real(0) ? real(1) / p.Ms : real(0);")
    vectors = {slot.member for slot in layout.slots if slot.components == 3}
    for member, name in layout.faces:
        kind, count = ("vector_faces", 9) if member in vectors else ("faces", 3)
        first = f"a.{name} + (long)row.rep * {count} * row.n"
        lines.append(f"  p.{member}_face = load_{kind}({first}, row.n, c);")
    for members, kind in ((layout.nonlocal_fields, "field"), (layout.ends, "ends")):
        lines += [
            f"  p.{member}.{kind} = load(a.{name} + (long)row.rep * 3 * row.n, row.n, c.i);"
            for member, name in members
        ]
    lines += [
        f"  p.{array} = load(a.{array} + (long)row.rep * 3 * row.n, row.n, c.i);"
        for _, array in layout.noises
    ]
    return (
        "INLINE Params cell_params(const Arrays& a, Params p, const Row& row, const Cell& c) {\n"
        + "\n".join(lines)
        + "\n  return p;\n}"
    )


def _sums(layout: Layout) -> str:
    """Return the functions that add up the fields, add up the torques, and pick one energy term."""
    fields, torques, cases = [], [], []
    energy = 0
    for i, term in enumerate(layout.terms):
        if term.kind == "energy":
            fields.append(f"  B = B + {term.function()}(s, p.t{i}, e[{energy}]);")
            cases.append(f"    case {energy}: return {term.function()}(s, p.t{i}, e);")
            energy += 1
        elif term.kind == "torque":
            torques.append(f"  T = T + {term.function()}(s, p.t{i});")
    return "\n".join(
        [
            "INLINE V fields(const Site& s, const Params& p, real* e) {",
            "  (void)s; (void)p; (void)e;",
            "  V B = V{0, 0, 0};",
            *fields,
            "  return B;\n}",
            "INLINE V torques(const Site& s, const Params& p) {",
            "  (void)s; (void)p;",
            "  V T = V{0, 0, 0};",
            *torques,
            "  return T;\n}",
            "INLINE V one_term(int term, const Site& s, const Params& p, real& e) {",
            "  (void)s; (void)p;",
            "  e = real(0);",
            "  switch (term) {",
            *cases,
            "    default: return V{0, 0, 0};\n  }\n}",
        ]
    )


def _noise_field(layout: Layout) -> str:
    """Return the function that adds up the random fields."""
    kinds = {f"t{i}": term.key() for i, term in enumerate(layout.terms)}
    return "\n".join(
        [
            "INLINE V noise_field(const Site& s, const Params& p) {",
            "  V B = V{0, 0, 0};",
            *(
                f"  B = B + {kinds[m]}(s, p.{m}, damping(s, p), p.{array});"
                for m, array in layout.noises
            ),
            "  return B;\n}",
        ]
    )


def _surface_condition(layout: Layout) -> str:
    """Return the functions behind 2 A dm/dn + d_n x m = 0: A, and d along an axis, of all terms."""
    stiffness, twists = [], []
    for i, term in enumerate(layout.terms):
        if term.stiffness:
            stiffness.append(f"  A = A + p.t{i}.{term.stiffness};")
        if term.twists:
            twists.append(f"  d = d + {term.key()}_twist(p.t{i}, axis);")
    return "\n".join(
        [
            "INLINE real stiffness(const Params& p) {",
            "  (void)p;",
            "  real A = real(0);",
            *stiffness,
            "  return A;\n}",
            "INLINE V twist_along(const Params& p, V axis) {",
            "  V d = V{0, 0, 0};",
            *twists,
            "  return d;\n}",
        ]
    )


def corners_text(corners: Sequence[str], constants: int) -> str:
    """Return the generated file ``corners.cuh``.

    Parameters
    ----------
    corners
        C expressions of the first time after ``t`` at which a step has to end.
    constants
        Number of constants of the waveforms per replica.
    """
    lines = [f"  next = fmin(next, {corner});" for corner in corners]
    return (
        f"#define CORNER_CONSTANTS {constants}\n"
        "INLINE double next_corner(double t, const double* w) {\n"
        "  (void)t; (void)w;\n  double next = NEVER;\n" + "\n".join(lines) + "\n  return next;\n}\n"
    )


def waves_text(expressions: Sequence[tuple[str, Sequence[int]]], constants: int, width: int) -> str:
    """Return the generated file ``waves.cuh``.

    Parameters
    ----------
    expressions
        C expression of each waveform and the table columns that it multiplies.
    constants
        Number of constants per replica.
    width
        Columns of the parameter table.
    """
    lines = []
    for expression, columns in expressions:
        updates = " ".join(f"live[{k}] = (real)((double)base[{k}] * f);" for k in columns)
        lines.append(f"  {{ const double f = {expression}; {updates} }}")
    return (
        f"#define WAVE_CONSTANTS {constants}\n#define PARAMETERS {width}\n"
        "INLINE void apply_waves(double t, const double* w, const real* base, real* live) {\n"
        "  (void)t; (void)w;\n" + "\n".join(lines) + "\n}\n"
    )
