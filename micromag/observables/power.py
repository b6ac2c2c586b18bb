"""Power: what every term and torque does per unit time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from micromag.column import Column
from micromag.observables.base import Observable, Sample
from micromag.terms import unique_names

if TYPE_CHECKING:
    from micromag.backend.base import DeviceArray, Program
    from micromag.engine import Engine
    from micromag.excitation.base import Waveform
    from micromag.model import Model
    from micromag.terms.base import Term

FloatArray = NDArray[np.float64]

_LEAST_STEP = 1e-15
"""Over which waveforms are differentiated [s]; with less their own rounding would show."""
_SHARE = 1 / 64
"""How far the parameters are moved along their rate, in units of the fastest waveform's change by 1."""
_SLACK = 1e-14
"""As ``same_time`` of ``kernels/waveforms.h``: where waveforms jump, they are seen from the right."""


class Power(Observable):
    r"""What every term and torque does to the magnet's energy per unit time [W].

    With the equation of motion in Gilbert's form,

    .. math::

        \dot{\mathbf m} = -\gamma\, \mathbf m \times \mathbf B + \alpha\, \mathbf m \times
        \dot{\mathbf m} + \sum_i \mathbf T_i, \qquad
        \frac{dE}{dt} = P_{\text{waveforms}} + P_{\text{damping}} + \sum_i P_{T_i}

    where E is ``E_total`` and the sums run over the cells, of the volume V:

    .. math::

        P_{\text{damping}} = -\sum \frac{\alpha M_s V}{\gamma} |\dot{\mathbf m}|^2, \quad
        P_{T_i} = \sum \frac{M_s V}{\gamma} (\mathbf m \times \mathbf T_i) \cdot \dot{\mathbf m},
        \quad P_{\text{waveforms}} = \left. \frac{\partial E}{\partial t} \right|_{\mathbf m}

    All signs are those of energy gained by the magnet: damping is never positive. The same rate is
    told apart by where the energy goes, into the energy terms j:

    .. math::

        \frac{dE}{dt} - P_{\text{waveforms}} = \sum_j P_j, \qquad
        P_j = -\sum M_s V\, \mathbf B_j \cdot \dot{\mathbf m}

    ======================  ====  =================================================================
    column                  unit  meaning
    ======================  ====  =================================================================
    P_<energy term>         W     rate of that term's energy by the motion of m
    P_waveforms             W     rate of the energy at fixed m, by parameters that depend on time
    P_damping               W     Gilbert damping
    P_<torque>              W     work of a torque on the magnet
    P_<torque>_reactive     W     of its part that stays when time is reversed
    P_<torque>_dissipative  W     of its part that changes sign
    P_total                 W     dE/dt: waveforms, damping and the torques together
    ======================  ====  =================================================================

    ``power`` is all of them, ``P_total`` that one alone. Terms of a list are numbered as in ``energy``.

    The two parts of a torque are told by the operation, not by name. dm/dt does not change when t, m
    and all that is odd are reversed (B, the polarisation sigma, the drift velocity u; each term says
    which of its parameters, `Term.odd`), so with T* the torque of the reversed m and parameters the
    reactive part is (T + T*)/2 and the dissipative one (T - T*)/2. Field-like and adiabatic torques
    are reactive, damping-like and non-adiabatic ones dissipative. A reactive torque still does work: a field-
    like one exchanges energy with a potential of its own, which is no part of E. A torque whose
    nonlocal field is neither odd nor even has no such columns.

    Waveforms count as steps see them, from the right where they bend; where one jumps, E does too,
    and no rate has that. So it is where a moving window takes on or leaves cells. Thermal noise has
    no part: the columns are of the motion without the random field, and with it they do not add up to
    the change of E between two rows. In ``relax`` and ``minimize`` no time passes, and all are NaN.

    Source: T. L. Gilbert, IEEE Trans. Magn. 40, 3443 (2004).
    """

    names: ClassVar[tuple[str, ...]] = ("power", "P_total")

    def columns(self, name: str, energy_terms: Sequence[str]) -> list[Column]:
        """Return the columns of a run without torques."""
        return self.columns_with(name, energy_terms, ())

    def columns_with(
        self, name: str, energy_terms: Sequence[str], torques: Sequence[tuple[str, Term]]
    ) -> list[Column]:
        """Return the columns of all powers, or of the total."""
        total = Column("P_total", "W", "dE/dt by waveforms, damping and torques")
        if name == "P_total":
            return [total]
        found = [
            Column(f"P_{x}", "W", f"rate of the energy of {x} by motion") for x in energy_terms
        ]
        found.append(Column("P_waveforms", "W", "rate of the energy by time-dependent parameters"))
        found.append(Column("P_damping", "W", "work of the damping, never positive"))
        for torque, (_, term) in zip(unique_names([k for k, _ in torques]), torques, strict=True):
            found.append(Column(f"P_{torque}", "W", f"work of {torque}"))
            for part in ("reactive", "dissipative") if _has_parts(term) else ():
                found.append(Column(f"P_{torque}_{part}", "W", f"of its {part} part"))
        return [*found, total]

    def values(self, name: str, sample: Sample) -> FloatArray:
        """Return the powers, shape ``(replica, columns)``."""
        model = sample.engine.model
        torques = model.configs[0].torques
        if sample.engine.frozen_time is not None:
            columns = self.columns_with(name, model.energy_names, torques)
            return np.full((model.replicas, len(columns)), np.nan)
        sums = sample.once("power", lambda: _Powers.of(sample.engine).measure())
        energies = len(model.energy_names)
        by_parts = sums[:, energies + 2 :].reshape(len(sums), -1, 2)
        work = by_parts.sum(axis=2)
        total = sums[:, energies : energies + 2].sum(axis=1) + work.sum(axis=1)
        if name == "P_total":
            return total[:, None]
        found = [*sums[:, : energies + 2].T]
        for i, (_, term) in enumerate(torques):
            found += [work[:, i], *(by_parts[:, i].T if _has_parts(term) else ())]
        return np.stack([*found, total], axis=1)


def _has_parts(torque: Term) -> bool:
    return not torque.nonlocal_field or "field" in torque.odd


@dataclass
class _Powers:
    """The kernel of ``power.cu`` bound to an engine, and its arrays."""

    engine: Engine
    program: Program
    partial: DeviceArray
    tables: tuple[DeviceArray, DeviceArray]
    waves: list[list[tuple[Waveform, slice]]]
    """Of every replica the waveforms of energy terms and the columns that they multiply."""

    @staticmethod
    def of(engine: Engine) -> _Powers:
        """Return the powers of an engine, compiled when first asked for."""
        make: Callable[[], _Powers] = lambda: _Powers._make(engine)  # noqa: E731
        return engine.prepared("power", make)

    @staticmethod
    def _make(engine: Engine) -> _Powers:
        model, backend, chunks = engine.model, engine.backend, engine.chunks
        macros = definitions(model)
        (module,) = backend.compile([engine.source("power.cu", **macros)])
        shape = (model.replicas, chunks.nchunk, macros["POWERS"])
        partial = backend.zeros(shape, np.float64)
        size = model.table.shape if model.has_waves else (1,)
        tables = (backend.zeros(size, engine.dtype), backend.zeros(size, engine.dtype))
        command = module.kernel("power").bind(
            chunks, *engine.arguments(), engine.clock, engine.work, *tables, partial
        )
        program = backend.program([command])
        waves = [_waves_of(model, replica) for replica in range(model.replicas)]
        return _Powers(engine, program, partial, tables, waves)

    def measure(self) -> FloatArray:
        """Return the sums [W], shape ``(replica, power)``; their order is that of `definitions`."""
        model = self.engine.model
        spans = self._move_parameters() if model.has_waves else np.ones(model.replicas)
        self.engine.refresh()
        self.program.run()
        sums = self.engine.backend.download(self.partial).sum(axis=1) * model.mesh.cell_volume
        sums[:, len(model.energy_names)] /= spans
        return sums

    def _move_parameters(self) -> FloatArray:
        """Write the parameters after and before t along their rate; return the times between [s]."""
        model, backend = self.engine.model, self.engine.backend
        times = self.engine.column("t")
        after, before, spans = model.table.copy(), model.table.copy(), np.ones(model.replicas)
        for i, waves in enumerate(self.waves):
            t = times[i] + _SLACK * abs(times[i])
            found = [(columns, wave(t), _slope(wave, t)) for wave, columns in waves]
            fastest = max((abs(rate) for _, _, rate in found), default=0.0)
            step = _SHARE / fastest if fastest > 0 else 1.0
            for columns, w, rate in found:
                after[i][:, columns] *= w + step * rate
                before[i][:, columns] *= w - step * rate
            spans[i] = 2 * step
        for table, values in zip(self.tables, (after, before), strict=True):
            backend.write(table, values.astype(self.engine.dtype))
        return spans


def _slope(wave: Waveform, t: float) -> float:
    """Return dw/dt [1/s] just after t, by the parabola through three points."""
    h = max(_LEAST_STEP, 1e-8 * abs(t))
    return (4 * wave(t + h) - 3 * wave(t) - wave(t + 2 * h)) / (2 * h)


def _waves_of(model: Model, replica: int) -> list[tuple[Waveform, slice]]:
    config = model.configs[replica]
    acting = [config.resolved(term) for _, term in (*config.energy, *config.torques)]
    waveforms = {
        f"t{i}.{name}": parameter.waveform
        for i, term in enumerate(acting)
        for name, parameter in term.parameters().items()
        if term.kind == "energy" and parameter.waveform is not None
    }
    return [
        (waveforms[slot.member], slice(slot.offset, slot.offset + slot.components))
        for slot in model.layout.slots
        if slot.member in waveforms
    ]


def definitions(model: Model) -> dict[str, Any]:
    """Return the macros of ``power.cu``: the torques, and what changes sign with time."""
    torques = [(i, term) for i, term in enumerate(model.terms) if term.kind == "torque"]
    energies = len(model.energy_names)
    calls = [f"case {q}: return {t.key()}(s, p.t{i});" for q, (i, t) in enumerate(torques)]
    signs = [
        f"p.t{i}.{name} = -p.t{i}.{name};"
        for i, term in torques
        for name in term.odd
        if name in term.declared_parameters() or (name == "field" and term.nonlocal_field)
    ]
    return {
        "TORQUES": len(torques),
        "TORQUE_CASES": " ".join(calls),
        "REVERSE_PARAMETERS": " ".join(signs),
        "WAVES": int(model.has_waves),
        "EXPLICIT": energies,
        "DAMPING": energies + 1,
        "FIRST_TORQUE": energies + 2,
        "POWERS": energies + 2 + 2 * len(torques),
    }
