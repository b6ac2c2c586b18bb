"""The test by time reversal: which torques are reactive, and which dissipative."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from micromag.config_sections import Output, Run
from micromag.errors import ConfigError, NumericalError
from micromag.excitation import Emitter, Waveform
from micromag.parameters import Parameter, ScalarParameter
from micromag.simulation import Simulation
from micromag.terms import unique_names

if TYPE_CHECKING:
    from micromag.config import RunConfig
    from micromag.terms import Term

ERROR = 1e-12
"""Largest error of m in one step: the legs are to be more exact than a run needs to be."""
TOLERANCE = 1e-6
"""Largest distance of -m to the start at which m counts as returned."""
_PARITY = 1e-9
"""Largest change of a field under reversal, in units of the field, that counts as rounding."""
FIELDS_ONLY = "no torque"
ALL = "all torques"


@dataclass(frozen=True)
class Leg:
    """How a magnet came back.

    Attributes
    ----------
    name
        The torque that acted, ``no torque`` or ``all torques``.
    largest, rms
        Distance of -m to the start over the cells of the magnet, as a length of the difference of
        unit vectors.
    moved
        The largest distance from the start before time was reversed.
    effect
        How far from where it would have been without torques; 0 of ``no torque``.
    """

    name: str
    largest: float
    rms: float
    moved: float
    effect: float

    def verdict(self, tolerance: float) -> str:
        """Return ``reactive``, ``dissipative`` or ``without effect``."""
        if self.largest > tolerance:
            return "dissipative"
        if self.name != FIELDS_ONLY and self.effect <= tolerance:
            return "without effect"
        return "reactive"


@dataclass(frozen=True)
class Reversal:
    """What the test has found: how long a leg was [s], the tolerance, and every pair of legs."""

    duration: float
    tolerance: float
    legs: tuple[Leg, ...]

    def lines(self) -> list[str]:
        """Return the result in words."""
        width = max(len(leg.name) for leg in self.legs)
        found = [
            f"{1e9 * self.duration:.6g} ns there and back with alpha = 0 in double precision; "
            "distance of -m to the start:",
            f"  {'':{width}}  {'largest':>9}  {'rms':>9}",
        ]
        for leg in self.legs:
            verdict = leg.verdict(self.tolerance)
            words = f"  {leg.name:{width}}  {leg.largest:9.3g}  {leg.rms:9.3g}  {verdict}"
            found.append(f"{words}; m had moved by {leg.moved:.3g}")
        return [*found, self.sentence()]

    def sentence(self) -> str:
        """Return what follows of each torque in one sentence."""
        torques = [leg for leg in self.legs if leg.name not in (FIELDS_ONLY, ALL)]
        if not torques:
            return f"Precession returns within {self.tolerance:g}; the run has no torques."
        parts = []
        for verdict, word in (
            ("reactive", "reactive (m returns)"),
            ("dissipative", "with a dissipative part (m does not return)"),
            ("without effect", "without effect here"),
        ):
            names = [leg.name for leg in torques if leg.verdict(self.tolerance) == verdict]
            if names:
                parts.append(f"{word}: {', '.join(names)}")
        text = "; ".join(parts)
        return f"{text[0].upper()}{text[1:]}, within {self.tolerance:g}."


class Backwards(Waveform):
    """A waveform that runs backwards: w(end - t)."""

    inner: Waveform
    end: float

    def __call__(self, t: float) -> float:
        """Return w at the time ``t`` [s]."""
        return self.inner(self.end - t)

    def emit(self, c: Emitter) -> str:
        """Return the C expression; see the base class."""
        return re.sub(r"\bt\b", f"({c.constant(self.end)} - t)", self.inner.emit(c))

    def corners(self, c: Emitter) -> str | None:
        """Return the C expression of the next corner; see the base class."""
        heard = _Corners(self.end)
        self.inner.corners(heard)
        times = sorted({self.end - t for t in heard.found})
        return c.times(times) if times else None

    def longest_step(self) -> float:
        """Return the longest step [s]."""
        return self.inner.longest_step()


@dataclass
class _Corners:
    """Listens to where a waveform has corners, from 0 to ``end`` [s]."""

    end: float
    found: list[float] = field(default_factory=list)

    def constant(self, value: float) -> str:
        return ""

    def table(self, times: Sequence[float], values: Sequence[float]) -> str:
        return ""

    def times(self, times: Sequence[float], period: float = np.inf) -> str:
        repeats = int(self.end / period) + 1 if np.isfinite(period) else 0
        shifted = [t + k * period if k else t for t in times for k in range(repeats + 1)]
        self.found += [t for t in shifted if 0 <= t <= self.end]
        return ""


def reversed_term(term: Term, end: float) -> Term:
    """Return a term under reversed time: what is odd changes sign, waveforms run backwards.

    ``end`` [s] is the time at which the way back begins.
    """
    changed: dict[str, Any] = {}
    for name in type(term).model_fields:
        value = getattr(term, name)
        if isinstance(value, Parameter):
            changed[name] = _backwards(_negative(value) if name in term.odd else value, end)
    return term.model_copy(update=changed)


def _backwards(parameter: Parameter[Any], end: float) -> Parameter[Any]:
    if parameter.waveform is None:
        return parameter
    return replace(parameter, waveform=Backwards(inner=parameter.waveform, end=end))


def _negative(parameter: Parameter[Any]) -> Parameter[Any]:
    """Return -p; values per cell stay, since they multiply ``value``."""

    def negative(value: Any) -> Any:
        return -value if isinstance(parameter, ScalarParameter) else tuple(-x for x in value)

    return replace(
        parameter,
        value=negative(parameter.value),
        regions={name: negative(value) for name, value in parameter.regions.items()},
        pairs={names: negative(value) for names, value in parameter.pairs.items()},
    )


class TimeReversal:
    """Runs a magnet there and back, with each torque alone and with all of them.

    Damping is switched off. After the first ``run`` stage, or ``duration``, m is replaced by -m, all
    that is odd under time reversal changes sign (`Term.odd`: applied fields, currents and drift
    velocities, polarisations, spin accumulations; of the product of a current across a stack and the
    moment p that polarises it only p, since one of the two has to), and waveforms run backwards. The
    same code then runs as long once more. Since dm/dt does not change under the operation, m comes
    back to minus the start under fields and reactive torques, and does not under dissipative ones.

    The stages before the first run are worked through as they are; they give the start.

    Parameters
    ----------
    config
        A run file without a sweep.
    duration
        Of one leg [s]; that of the first run by default.
    tolerance
        Largest distance at which m counts as returned.
    device
        Overrides the run file's device.

    Raises
    ------
    ConfigError
        The run cannot be reversed: it has noise, a moving window, a field that is neither odd nor
        even, or no run stage.

    Source: the classification of torques by m, sigma and t in K. Garello et al., Nature Nanotech. 8,
    587 (2013), where the words even and odd are of m alone, at fixed current, and so exchanged.
    """

    solver: ClassVar[dict[str, Any]] = {"method": "rk45", "max_error": ERROR}

    def __init__(
        self,
        config: RunConfig,
        duration: float | None = None,
        tolerance: float = TOLERANCE,
        device: str | None = None,
    ) -> None:
        if not tolerance >= 100 * ERROR:
            raise ConfigError(
                "the tolerance is too small to tell anything from the error of the steps",
                where="tolerance",
                value=f"{tolerance:g}",
                allowed=f"{100 * ERROR:g} or more",
            )
        _refuse(config)
        runs = [(i, s) for i, s in enumerate(config.schedule) if isinstance(s, Run)]
        if duration is None:
            if not runs:
                raise ConfigError(
                    "there is nothing to reverse: no run stage",
                    where="schedule",
                    next_step="add '- run: {for: 0.5 ns}', or give the time of one way (--for)",
                )
            duration = runs[0][1].duration
        self._before = config.schedule[: runs[0][0] if runs else None]
        self.duration = duration
        self.tolerance = tolerance
        self._device = device
        self._start = _plain(config)
        overrides = runs[0][1].overrides if runs else {}
        self._config = _plain(config.with_overrides(overrides) if overrides else config)
        _refuse(self._config)

    def run(self, note: Callable[[str], None] = lambda name: None) -> Reversal:
        """Return what came back; ``note`` hears the name of what runs next.

        Raises
        ------
        ConfigError
            A field does not change sign under reversal.
        NumericalError
            Not even fields alone lead back, so that nothing can be said of torques.
        """
        note(FIELDS_ONLY)
        m = self._initial()
        fields = self._only(())
        self.check_parity(m)
        torques = self._config.torques
        there, back = self._legs(fields, m)
        legs = [_leg(FIELDS_ONLY, m, there, back, there)]
        if legs[0].largest > self.tolerance:
            raise NumericalError(
                "not even precession comes back, by the errors of the steps and of rounding",
                value=f"-m ends {legs[0].largest:.3g} from the start",
                allowed=f"{self.tolerance:g}",
                next_step="give a shorter time with --for, or a larger --tolerance",
            )
        names = unique_names([key for key, _ in torques])
        choices = {name: (torque,) for name, torque in zip(names, torques, strict=True)}
        for name, chosen in (choices | ({ALL: torques} if len(torques) > 1 else {})).items():
            note(name)
            ends = self._legs(self._only(chosen), m)
            legs.append(_leg(name, m, *ends, there))
        return Reversal(self.duration, self.tolerance, tuple(legs))

    def _initial(self) -> NDArray[np.float64]:
        config = self._start.model_copy(update={"schedule": self._before})
        simulation = Simulation(config, device=self._device)
        if self._before:
            simulation.run_schedule()
        return np.array(simulation.m, dtype=np.float64)

    def _only(self, torques: Sequence[tuple[str, Term]]) -> RunConfig:
        return self._config.model_copy(update={"torques": tuple(torques)})

    def _legs(
        self, config: RunConfig, m: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return m at the end of the way there, and -m at the end of the way back."""
        ends: list[NDArray[np.float64]] = []
        for leg in (config, self._reversed(config)):
            simulation = Simulation(leg, device=self._device)
            simulation.m = m if not ends else -ends[-1]
            simulation.run(self.duration)
            ends.append(np.array(simulation.m, dtype=np.float64))
        return ends[0], -ends[1]

    def _reversed(self, config: RunConfig) -> RunConfig:
        energy, torques = (
            tuple((key, reversed_term(term, self.duration)) for key, term in terms)
            for terms in (config.energy, config.torques)
        )
        return config.model_copy(update={"energy": energy, "torques": torques})

    def check_parity(self, m: NDArray[np.float64]) -> None:
        """Refuse fields that do not change sign with m and what is odd, as those of user's code may.

        Raises ConfigError.
        """
        config = self._only(())
        there = Simulation(config, device=self._device)
        back = Simulation(self._reversed_at_start(config), device=self._device)
        there.m, back.m = m, -m
        for name in there.energies():
            if name == "total":
                continue
            B, B_back = there.field(name), back.field(name)
            if np.abs(B + B_back).max() > _PARITY * np.abs(B).max():
                raise ConfigError(
                    "this field does not change sign with m, so time cannot be reversed",
                    where=f"energy.{name}",
                    allowed="energies that are even in m, and applied fields by zeeman",
                    next_step="leave it out of the test",
                )

    def _reversed_at_start(self, config: RunConfig) -> RunConfig:
        """Return what `_reversed` does to signs, at the same time."""
        energy = tuple((key, reversed_term(term, 0.0)) for key, term in config.energy)
        return config.model_copy(update={"energy": energy})


def _refuse(config: RunConfig) -> None:
    """Refuse what has no way back, for reasons that lie in the run file."""
    if config.sweep is not None:
        raise ConfigError(
            "time is reversed in one run, and this run file is a sweep",
            where="sweep",
            next_step="leave the section out, and give values with --set",
        )
    if config.mesh.window is not None:
        raise ConfigError(
            "what leaves a moving window does not come back",
            where="mesh.window",
            next_step="give a mesh that holds the whole way, without window",
        )
    for key, term in config.energy:
        if term.kind == "noise":
            raise ConfigError(
                "noise has no way back",
                where=f"energy.{key}",
                next_step="leave it out of the test",
            )


def _plain(config: RunConfig) -> RunConfig:
    """Return a configuration without damping, in double precision, without output of its own."""
    undamped = config.with_overrides({"material.alpha": 0.0, "precision": "double"})
    torques = tuple(
        (key, term.model_copy(update={"spin_pumping": False}) if _pumps(term) else term)
        for key, term in undamped.torques
    )
    solver = type(config.solver)(**TimeReversal.solver)
    return undamped.model_copy(
        update={"torques": torques, "solver": solver, "output": Output(), "analysis": {}}
    )


def _pumps(term: Term) -> bool:
    return bool(getattr(term, "spin_pumping", False))


def _leg(
    name: str,
    start: NDArray[np.float64],
    there: NDArray[np.float64],
    back: NDArray[np.float64],
    without: NDArray[np.float64],
) -> Leg:
    """Return the distances; empty cells, where m is 0, do not count."""
    filled = start.any(axis=0)

    def distances(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.sqrt(((a - b) ** 2).sum(axis=0))[filled]

    missed = distances(back, start)
    return Leg(
        name,
        float(missed.max()),
        float(np.sqrt((missed**2).mean())),
        float(distances(there, start).max()),
        float(distances(there, without).max()),
    )
