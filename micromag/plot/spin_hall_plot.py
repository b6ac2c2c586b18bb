"""The spin Hall angle against temperature, taken apart into its mechanisms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from micromag.plot.writing import new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from micromag.transport.spin_hall import MechanismAngle

HOTTEST = 400.0
"""Where the abscissa ends [K], or a little beyond the temperature of the run."""
PARTS = {
    "intrinsic": ("intrinsic", "#0072B2"),
    "skew_scattering": ("skew scattering", "#D55E00"),
    "side_jump": ("side jump", "#009E73"),
}
"""What the mechanisms are called, and their colours."""


def angle_values(angle: MechanismAngle) -> dict[str, NDArray[np.float64]]:
    """Return T [K], rho [Ohm m], theta and its parts by name where rho(T) is positive."""
    rows = []
    for T in np.linspace(0.0, max(HOTTEST, 1.2 * angle.temperature), 201).tolist():
        try:
            parts = angle.parts(T)
        except ValueError:  # a linear law goes below zero at low temperatures
            continue
        rows.append([T, angle.rho.at(T), sum(parts.values()), *(parts[name] for name in PARTS)])
    return dict(zip(("T", "rho", "theta", *PARTS), np.array(rows).T, strict=True))


def spin_hall_plot(angles: Mapping[str, MechanismAngle]) -> Figure:
    r"""Return a figure with a row for each spin Hall angle; raises MissingLibraryError.

    On the left theta(T) and its parts. On the right the spin Hall resistivity theta rho against
    rho^2: the intrinsic part is a line through the origin with the slope sigma_int, the extrinsic
    parts, which scale with the residual resistivity, are its height at rho = 0.

    Source: Y. Tian, L. Ye and X. Jin, Phys. Rev. Lett. 103, 087206 (2009).
    """
    figure = new_figure(7.2, 3.2 * len(angles))
    panels = figure.subplots(len(angles), 2, squeeze=False)
    for (name, angle), (left, right) in zip(angles.items(), panels, strict=True):
        values = angle_values(angle)
        for part, (label, color) in PARTS.items():
            if values[part].any():
                left.plot(values["T"], values[part], color=color, label=label)
        left.plot(values["T"], values["theta"], "k", label="sum")
        left.plot(angle.temperature, angle.angle(), "ko", label="run")
        left.set(xlabel="T (K)", ylabel="spin Hall angle", title=name)
        left.legend(frameon=False)
        square = (1e8 * values["rho"]) ** 2
        right.plot(square, 1e8 * values["theta"] * values["rho"], "k", label="sum")
        line = np.array([0.0, square.max()])
        height = 1e8 * (values["theta"] - values["intrinsic"]) * values["rho"]
        slope = (angle.sigma_int or 0.0) * 1e-8
        right.plot(line, slope * line, color=PARTS["intrinsic"][1], label="intrinsic")
        right.plot(
            line, [height[0]] * 2, "--", color=PARTS["skew_scattering"][1], label="extrinsic"
        )
        right.set(xlabel="ρ² (µΩ² cm²)", ylabel="spin Hall resistivity (µΩ cm)", xlim=(0, None))
        right.legend(frameon=False)
    return figure


def in_words(name: str, angle: MechanismAngle) -> str:
    """Return in a sentence which share of the angle each mechanism has."""
    parts, total = angle.parts(), angle.angle()
    shares = [
        f"{100 * parts[part] / total:.0f} % {label}"
        for part, (label, _) in PARTS.items()
        if parts[part] and total
    ]
    rho = 1e8 * angle.rho.at(angle.temperature)
    of = f", of which {', '.join(shares)}" if shares else ""
    return f"{name}: theta_SH = {total:.4g} at {angle.temperature:g} K and {rho:.4g} uOhm cm{of}"
