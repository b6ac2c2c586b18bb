"""What is said of a wall's motion, and of a curve of velocities."""

from __future__ import annotations

import math

import numpy as np

from micromag.analysis._track import Motion
from micromag.analysis._velocities import Curve, Velocities
from micromag.si_text import si

LEAST_DMI = 1e-6
"""A Dzyaloshinskii-Moriya interaction below this [J/m^2] is the noise of the weighing."""
MOVING = ("steady", "oscillating")
"""Settled motions of a wall that is not held."""


def described(motion: Motion) -> str:
    """Return a motion as the beginning of a sentence."""
    span = f"t = {motion.begin * 1e9:.4g} to {motion.end * 1e9:.4g} ns of the stage"
    error = f" +- {motion.error:.2g}" if math.isfinite(motion.error) else ""
    text = f"The wall moves at {motion.velocity:.3f}{error} m/s"
    if motion.kind == "pinned":
        return (
            f"The wall is at rest: {motion.velocity:.3f}{error} m/s (fitted over {span}), "
            f"{motion.displacement * 1e9:.3g} nm from where the stage began"
        )
    if motion.kind == "oscillating":
        sign = (
            "turns over and over" if motion.period_from == "wall_angle" else "moves back and forth"
        )
        count = f"{motion.periods} period{'s' if motion.periods > 1 else ''}"
        return (
            f"{text}, the mean over {count} of {motion.period * 1e9:.4g} ns each: it {sign}, "
            f"above the Walker threshold ({span})"
        )
    text += f" (fitted over {span})"
    if motion.kind == "lost":
        return f"{text}; later it left the magnet"
    if motion.kind == "unsettled":
        return (
            f"{text}, not steadily: {motion.early:.2f} m/s in the first half, {motion.late:.2f} m/s "
            f"in the second, no periods that agree; its mean lies between {motion.lowest:.2f} and "
            f"{motion.highest:.2f} m/s"
        )
    return text


def told(found: Velocities, curve: Curve) -> str:
    """Return what one curve shows, in a sentence."""
    measured = [p for p in curve.points if p.motion is not None]
    kinds = [p.motion.kind for p in measured if p.motion]
    counted = ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds))
    head = f"{curve.label}: " if curve.label else ""
    text = f"{head}{len(measured)} walls ({counted or 'none'})"
    for what, before, beyond in (
        ("freed", ("pinned",), MOVING),
        ("turning over", ("steady", "pinned"), ("oscillating",)),
    ):
        for low, high in curve.bracket(before, beyond):
            text += f"; {what} between {_amount(found, low)} and {_amount(found, high)}"
    if curve.note:
        return f"{text}; no one-dimensional model: {curve.note}."
    compared = [
        (p.value, p.motion.velocity, p.model)
        for p in measured
        if p.motion and p.motion.kind in ("steady", "oscillating") and math.isfinite(p.model)
    ]
    edges = " and ".join(_amount(found, edge) for edge in curve.breakdowns if edge)
    model = []
    if math.isfinite(curve.width):
        model.append(f"Delta = {curve.width * 1e9:.3g} nm, Kp = {si(curve.hard_axis, 'J/m^3', 3)}")
        if curve.dmi > LEAST_DMI:
            model[0] += f", |D| = {si(curve.dmi, 'J/m^2', 3)}"
    if math.isfinite(curve.width) and not curve.relaxed:
        model[0] += (
            " (the wall was not relaxed before: these are of the state the stage began with)"
        )
    if 0.0 in curve.breakdowns:
        what = "no hard axis: " if curve.hard_axis == 0 else ""
        model.append(f"{what}it turns over at any {found.name}")
    if edges:
        model.append(f"turns over from {edges} on")
    if compared:
        value, velocity, expected = np.array(compared).T
        off = f"is {np.abs(velocity - expected).mean():.2g} m/s off on average"
        if curve.mesh_line.size:
            left = np.abs(velocity - np.interp(value, *curve.mesh_line)).mean()
            off += f", {left:.2g} m/s with the mesh's gradients"
        model.append(off)
    return f"{text}; the one-dimensional model: {'; '.join(model)}." if model else f"{text}."


def _amount(found: Velocities, value: float) -> str:
    return f"{found.name} = {si(value, found.unit or '1', 3)}"
