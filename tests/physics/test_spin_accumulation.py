"""The spin accumulation that drift and diffusion make, and its torque, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from formulas.transport import MU_B, E, Stack
from magnets import GAMMA, config, measuring_engine, random_m
from reference import NM, check

import micromag as mm
from micromag.backend import get_backend
from micromag.errors import ConfigError, NumericalError
from micromag.transport.conductors import uniform_gradient

MS, J = 8e5, 1e11
EXACT = {"tolerance": 1e-12, "max_iterations": 200}
METAL = {"conductivity": 5e6, "lambda_sf": 1.5e-9, "theta_sh": 0.1}


@pytest.fixture(scope="module")
def backend():
    return get_backend("cpu", threads=1)


def torque(cfg, backend, m):
    """Return T [1/s] of every cell."""
    engine = measuring_engine(cfg, backend, m)
    return GAMMA * engine.torque_field()


# ------------------------------------------------------------------------- spin Hall effect


def surface_potential(count: int, backend) -> float:
    """Return the potential at the upper surface of a metal divided into layers of the mesh."""
    cfg = config(
        mesh={"cells": [1, 1, count + 1], "cell_size": [NM, NM, 4 * NM / count]},
        regions={"metal": {"box": {"size": [1, 1, 4 * NM], "center": [0, 0, -2 * NM / count]}}},
        material={"Ms": {"default": MS, "metal": 0}, "alpha": 0.1},
        torques={
            "transport": {
                "J": [J, 0, 0], **METAL, "conductivity": {"default": 0, "metal": 5e6},
                "interface": {"Gr": 1e-3}, "sub_cells": 1, **EXACT,
            }
        },
    )  # fmt: skip
    engine = measuring_engine(cfg, backend, np.array([0, 0, 1.0]).reshape(3, 1, 1, 1))
    V = engine.quantity_fields("V_s")[0][:, :count, 0, 0]
    assert np.all(V[[0, 2]] == 0)
    return 1.5 * V[1, -1] - 0.5 * V[1, -2]


def test_accumulation_at_the_surface_of_a_metal(backend):
    """Positive theta and a current along +x send moments along -y upwards."""
    entry = check("she_edge")
    coarse, fine = surface_potential(80, backend), surface_potential(160, backend)
    assert fine < 0  # along -y
    # The error is of the second order.
    entry.agrees(-(4 * fine - coarse) / 3, what="accumulation at the surface")


def bilayer(thickness: float, G: complex, sub_cells: int | None, m, backend) -> np.ndarray:
    """Return T [1/s] of a magnet that insulates on a metal of a thickness, by transport."""
    cfg = config(
        mesh={"cells": [1, 1, 2], "cell_size": [NM, NM, thickness]},
        regions={"metal": {"box": {"size": [1, 1, thickness], "center": [0, 0, -thickness / 2]}}},
        material={"Ms": {"default": MS, "metal": 0}, "alpha": 0.1},
        torques={
            "transport": {
                "J": [J, 0, 0], **METAL, "conductivity": {"default": 0, "metal": 5e6},
                "interface": {"Gr": G.real, "Gi": G.imag}, **EXACT,
                **({} if sub_cells is None else {"sub_cells": sub_cells}),
            }
        },
    )  # fmt: skip
    state = np.broadcast_to(np.reshape(m, (3, 1, 1, 1)), (3, 2, 1, 1))
    return torque(cfg, backend, state)[:, 1, 0, 0]


def share(T: np.ndarray, thickness: float) -> complex:
    """Return the share eta of the spin Hall current that m = +z takes up.

    Moments along -y arrive: all of -y taken up is eta = 1, turned about m to +x it is -i.
    """
    return complex(-T[1], -T[0]) * MS * thickness * E / (MU_B * METAL["theta_sh"] * J)


def test_efficiencies_of_a_bilayer_over_its_thickness(backend):
    entry = check("eta_bilayer")
    expected = [[float(x) for x in part.split(",")] for part in str(entry.expected).split(";")]
    found = []
    for nm in (1, 2, 4, 8):
        coarse, fine = (
            share(bilayer(nm * NM, 5e14 + 0.5e14j, n, (0, 0, 1), backend), nm * NM)
            for n in (50, 100)
        )
        found.append((4 * fine - coarse) / 3)
    # The table gives six decimals.
    assert [eta.real for eta in found] == pytest.approx(expected[0], rel=entry.rtol, abs=5e-7)
    assert [eta.imag for eta in found] == pytest.approx(expected[1], rel=entry.rtol, abs=5e-7)


def test_an_interface_that_takes_all(backend):
    entry = check("eta_large_G")
    coarse, fine = (share(bilayer(4 * NM, 1e22, n, (0, 0, 1), backend), 4 * NM) for n in (50, 100))
    entry.agrees(((4 * fine - coarse) / 3).real, what="damping-like share")


@pytest.mark.parametrize("nm", [1, 4])
@pytest.mark.parametrize("lambda_sf", [1.5e-9, 4e-9])
@pytest.mark.parametrize("G", [5e14 + 0.5e14j, 1e15 - 4e14j])
def test_the_torque_of_the_bilayer_formula_in_every_direction(nm, lambda_sf, G, backend):
    """Without being told so, sub-cells are fine enough for half a percent."""
    thickness = nm * NM
    regions = {"metal": {"box": {"size": [1, 1, thickness], "center": [0, 0, -thickness / 2]}}}
    sections = {
        "mesh": {"cells": [1, 1, 2], "cell_size": [NM, NM, thickness]},
        "regions": regions,
        "material": {"Ms": {"default": MS, "metal": 0}, "alpha": 0.1},
    }
    solved = config(
        **sections,
        torques={
            "transport": {
                "J": [J, 0, 0], **METAL, "lambda_sf": lambda_sf,
                "conductivity": {"default": 0, "metal": 5e6},
                "interface": {"Gr": G.real, "Gi": G.imag}, **EXACT,
            }
        },
    )  # fmt: skip
    formula = config(
        **sections,
        torques={
            "spin_orbit": {
                "J": [J, 0, 0], "theta_sh": 0.1, "normal": "+z", "thickness": thickness,
                "heavy_metal": {
                    "thickness": thickness, "conductivity": 5e6, "spin_diffusion_length": lambda_sf,
                },
                "interface": {"Gr": G.real, "Gi": G.imag},
            }
        },
    )  # fmt: skip
    for seed in range(3):
        m = np.broadcast_to(random_m((1, 1, 1), seed), (3, 2, 1, 1))
        expected = torque(formula, backend, m)
        found = torque(solved, backend, m)
        assert np.abs(found - expected).max() < 5e-3 * np.abs(expected).max()


def test_spins_decay_in_a_magnet_that_conducts(backend):
    """Through a transparent interface all arrives, and all but 1/(lsf^2 k^2) becomes torque."""
    lsf, lJ, lphi, t = 5e-9, 1e-9, 1.2e-9, 4e-9
    found = []
    for n in (20, 40):
        cfg = config(
            mesh={"cells": [1, 1, 2], "cell_size": [NM, NM, t]},
            regions={"metal": {"box": {"size": [1, 1, t], "center": [0, 0, -t / 2]}}},
            material={"Ms": {"default": MS, "metal": 0}, "alpha": 0.1},
            torques={
                "transport": {
                    "J": [J, 0, 0], "conductivity": 5e6, "theta_sh": {"default": 0, "metal": 0.1},
                    "lambda_sf": {"default": lsf, "metal": 1.5e-9}, "lambda_J": lJ,
                    "lambda_phi": lphi, "sub_cells": n, **EXACT,
                }
            },
        )  # fmt: skip
        m = np.broadcast_to(np.array([0, 0, 1.0]).reshape(3, 1, 1, 1), (3, 2, 1, 1))
        T = torque(cfg, backend, m)[:, 1, 0, 0]
        found.append(complex(T[0], T[1]) * MS * t)
    q = (4 * found[1] - found[0]) / 3
    # Two half-spaces in series at z = 0, in units of charge: the transverse V is v (1, i) exp(-kz).
    k2 = lsf**-2 + lphi**-2 - 1j * lJ**-2
    k, lam, sigma, d = np.sqrt(k2), 1.5e-9, 5e6, t
    source = -0.1 * J * 1j  # theta J x z = -y
    metal, magnet = (
        sigma / 2 / lam * np.tanh(d / lam),
        sigma / 2 * k * np.tanh(k * t),
    )
    injected = source * (1 - 1 / np.cosh(d / lam)) * magnet / (metal + magnet)
    expected = MU_B / E * injected * (1 - 1 / (lsf**2 * k2))
    assert abs(q - expected) < 2e-3 * abs(expected)


# ------------------------------------------------------------------------- drift through texture


def helix(n: int, lambda_phi: float | None, sign: int, backend) -> tuple[float, float]:
    """Return f and beta of the torque on a helix with one turn in n nm."""
    a, P = 1e-9, 0.5
    q = 2 * np.pi / (n * a)
    x = a * np.arange(n)
    m = np.array([np.cos(q * x), np.sin(q * x), 0 * x]).reshape(3, 1, 1, n)
    cfg = config(
        mesh={"cells": [n, 1, 1], "cell_size": [a] * 3, "periodic": [1, 0, 0]},
        torques={
            "transport": {
                "J": [1e12, 0, 0], "P": P, "conductivity": 4e6, "lambda_sf": 10e-9,
                "lambda_J": sign * 2e-9, **EXACT,
                **({} if lambda_phi is None else {"lambda_phi": lambda_phi}),
            }
        },
    )  # fmt: skip
    T = torque(cfg, backend, m)[:, 0, 0] * MS / (MU_B * P * 1e12 / E)
    # The mesh's own slope, of the mean of both neighbours.
    gradient = np.array([-np.sin(q * x), np.cos(q * x), 0 * x]) * np.sin(q * a) / a
    across = np.cross(m[:, 0, 0], gradient, axis=0)
    square = (gradient**2).sum(axis=0)
    f = (T * gradient).sum(axis=0) / square
    beta = -(T * across).sum(axis=0) / square / f
    assert np.ptp(f) < 1e-8 and np.ptp(beta) < 1e-8
    return float(f[0]), float(beta[0])


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("part", "lambda_phi"), [(0, None), (1, 2.1e-9)])
def test_adiabatic_and_non_adiabatic_torque(part, lambda_phi, sign, backend):
    """The torque is Zhang and Li's, with a beta that is odd in J_sd.

    In a flat helix only what lies along the slope diffuses: beta is that of slow textures whatever the
    wave number, the drift velocity has the square of the wave number beside 1/lambda_sf^2.
    """
    entry = check("zlf_beta")
    expected = float(str(entry.expected).split(";")[part])
    j, phi = sign / 2e-9**2, 0 if lambda_phi is None else lambda_phi**-2
    flip = 10e-9**-2
    for n in (50, 500):
        f, beta = helix(n, lambda_phi, sign, backend)
        # The table gives seven decimals.
        assert sign * beta == pytest.approx(expected, rel=entry.rtol, abs=5e-8)
        k = (2 - 2 * np.cos(2 * np.pi / n)) / 1e-9**2
        turned = j**2 / (flip + phi)
        assert f == pytest.approx((turned + phi) / (k + flip + phi + turned), rel=1e-8)
    local = (j**2 + (flip + phi) * phi) / ((flip + phi) ** 2 + j**2)
    assert f == pytest.approx(local, rel=1e-3)
    if lambda_phi is None:
        assert local == pytest.approx(1 / (1 + beta**2), rel=1e-8)


@pytest.mark.parametrize("lambda_phi", [1.0, 2.1e-9])
@pytest.mark.parametrize(("width", "within"), [(40e-9, 1e-3), (12e-9, 1e-2), (3e-9, 0.2)])
def test_narrow_walls_feel_another_torque(width, within, lambda_phi, backend):
    """What pushes a wall is beta of slow textures where it is wide, and much more where it is narrow.

    The spins that a wall leaves out of equilibrium diffuse out of it before they flip.
    """
    n, a, P = 128, width / 8, 0.5
    x = a * (np.arange(n) - n / 2 + 0.5)
    theta = 2 * np.arctan(np.exp(x / width))
    m = np.array([np.sin(theta), 0 * x, np.cos(theta)]).reshape(3, 1, 1, n)
    lengths = {"lambda_sf": 10e-9, "lambda_J": 2e-9, "lambda_phi": lambda_phi}
    cfg = config(
        mesh={"cells": [n, 1, 1], "cell_size": [a] * 3},
        torques={"transport": {"J": [1e12, 0, 0], "P": P, "conductivity": 4e6, **lengths}},
    )
    c = MU_B * P * 1e12 / (E * MS)
    T = torque(cfg, backend, m)[:, 0, 0]
    slope = np.array([np.cos(theta), 0 * x, -np.sin(theta)]) * np.sin(theta) / width
    # What the torque does to a wall that keeps its shape: both parts weighed with its slope.
    square = c * (slope**2).sum()
    push = -(T * np.cross(m[:, 0, 0], slope, axis=0)).sum() / square
    drag = (T * slope).sum() / square
    f, beta = uniform_gradient(10e-9, 2e-9**-2, lambda_phi**-2, width)
    # Central differences leave so much of the slope.
    mesh = 1 - a**2 / (6 * width**2)
    assert drag == pytest.approx(mesh * f, rel=within)
    assert push == pytest.approx(mesh * f * beta, rel=within)
    slow_f, slow_beta = uniform_gradient(10e-9, 2e-9**-2, lambda_phi**-2)
    assert push > mesh * slow_f * slow_beta * (1 + 10e-9**2 / (5 * width**2))


def test_the_accumulation_gives_the_torque_of_s_d_exchange(backend):
    """The snapshot S in the term `s_d_exchange` is the torque of precession."""
    D, J_sd = 1e-3, 3e-20
    sections = {"mesh": {"cells": [6, 5, 2], "cell_size": [2e-9] * 3}}
    m = random_m((2, 5, 6))
    solved = config(
        **sections,
        torques={
            "transport": {
                "J": [1e12, -3e11, 2e11], "P": 0.5, "conductivity": 4e6, "lambda_sf": 6e-9,
                "J_sd": J_sd, "D_e": D, "sub_cells": 1, **EXACT,
            }
        },
    )  # fmt: skip
    engine = measuring_engine(solved, backend, m)
    S = engine.quantity_fields("S")[0]
    assert np.abs(S).max() > 10
    given = config(**sections, torques={"s_d_exchange": {"S": S, "J_sd": J_sd}})
    expected = torque(given, backend, m)
    assert np.abs(GAMMA * engine.torque_field() - expected).max() < 1e-9 * np.abs(expected).max()
    V = engine.quantity_fields("V_s")[0]
    assert np.allclose(S, MU_B * 4e6 * V / (2 * E * D), rtol=1e-12)


# ------------------------------------------------------------------------- interfaces in any stack


@pytest.mark.parametrize("images", [0, 1])
@pytest.mark.parametrize("G", [None, 5e14 + 1e14j])
@pytest.mark.parametrize("sub", [1, 3])
def test_magnets_metals_and_insulators_in_any_arrangement(images, G, sub, backend, tmp_path):
    """A sparse factorisation of the whole equation, cell by cell, gives the same torque."""
    rng, shape = np.random.default_rng(1), (4, 4, 5)
    kind = rng.integers(0, 3, size=shape)
    filled = rng.random(shape) > 0.1
    for name, mask in (("metal", kind == 1), ("garnet", kind == 2), ("filled", filled)):
        np.save(tmp_path / f"{name}.npy", mask)
    cfg = config(
        mesh={"cells": shape[::-1], "cell_size": [4e-9, 3e-9, 5e-9], "periodic": [images] * 3},
        geometry={"file": str(tmp_path / "filled.npy")},
        regions={name: {"file": str(tmp_path / f"{name}.npy")} for name in ("metal", "garnet")},
        material={"Ms": {"default": MS, "metal": 0, "garnet": 1.4e5}, "alpha": 0.1},
        torques={
            "transport": {
                "J": [1e12, 2e11, -3e11], "P": {"default": 0.5, "metal": 0},
                "theta_sh": {"default": 0.02, "metal": 0.1},
                "conductivity": {"default": 4e6, "metal": 7e6, "garnet": 0},
                "lambda_sf": {"default": 6e-9, "metal": 2e-9}, "lambda_J": 2e-9,
                "lambda_phi": 3e-9, "sub_cells": sub, **EXACT,
                **({} if G is None else {"interface": {"Gr": G.real, "Gi": G.imag}}),
            }
        },
    )  # fmt: skip
    engine = measuring_engine(cfg, backend, random_m(shape))
    m, Ms = engine.m(), np.array([MS, 0, 1.4e5])[kind] * filled
    stack = Stack(
        m=m,
        J=np.broadcast_to(np.reshape([1e12, 2e11, -3e11], (3, 1, 1, 1)), m.shape),
        sigma=np.array([4e6, 7e6, 0])[kind] * filled,
        P=np.array([0.5, 0, 0.5])[kind],
        theta=np.array([0.02, 0.1, 0.02])[kind],
        lsf=np.array([6e-9, 2e-9, 6e-9])[kind],
        per_lJ2=(Ms > 0) / 4e-18,
        per_lphi2=(Ms > 0) / 9e-18,
        cell_size=cfg.mesh.cell_size,
        periodic=(images,) * 3,
        sub=(sub,) * 4,
        G=G,
    )
    expected = np.divide(stack.solve()[1], Ms, where=Ms > 0, out=np.zeros(m.shape))
    found = GAMMA * engine.torque_field()
    assert np.abs(found - expected).max() < 1e-9 * np.abs(expected).max()
    # Magnets that insulate feel the current in the metals only where faces have a conductance.
    assert (np.abs(expected[:, (kind == 2) & filled]).max() > 0) == (G is not None)


# ------------------------------------------------------------------------- steps

WALL = {
    "mesh": {"cells": [64, 4, 1], "cell_size": [2e-9, 4e-9, 4e-9]},
    "material": {"Ms": 5.8e5, "alpha": 0.3},
    "energy": {
        "exchange": {"A": 15e-12},
        "uniaxial_anisotropy": {"Ku1": 4e5, "axis": "+z"},
    },
    "initial": {"domain_wall": {"kind": "bloch", "from": "+z", "to": "-z"}},
    "schedule": [{"run": {"for": 20e-12}}],
}
DRIVEN = {
    "J": [1e12, 0, 0], "P": 0.5, "conductivity": 5e6, "lambda_sf": 6e-9, "lambda_J": 1e-9,
    "lambda_phi": 2e-9, "D_e": 1e-3,
}  # fmt: skip


def run(**driven):
    sections = {k: v for k, v in driven.items() if k in ("output", "device", "precision")}
    extra = {k: v for k, v in driven.items() if k not in sections}
    cfg = config(**WALL, **sections, torques={"transport": {**DRIVEN, **extra}})
    sim = mm.Simulation(cfg)
    sim.run(20e-12)
    return sim


def test_measuring_does_not_change_the_steps():
    """Columns and snapshots solve the equation besides; the next step starts from the steps' own."""
    every = {"table": {"every": 1e-12, "columns": ["max_torque"]}}
    every["snapshots"] = {"every": 5e-12, "quantities": ["m", "S", "V_s"]}
    seen, unseen = run(output=every, precision="single"), run(precision="single")
    # Output times cut steps: the same times without measuring are not the same steps, so the
    # times that are asked for are those of both.
    again = run(
        output={"table": {"every": 1e-12}, "snapshots": {"every": 5e-12}}, precision="single"
    )
    assert np.array_equal(seen.m, again.m)
    assert np.abs(seen.m - unseen.m).max() < 1e-4


def test_solving_less_often_is_near():
    exact, lagging = run(), run(every=2)
    change = np.abs(exact.m - mm.Simulation(config(**WALL)).m).max()
    assert np.abs(exact.m - lagging.m).max() < 0.05 * change
    assert not np.array_equal(exact.m, lagging.m)


def test_no_solution_within_the_iterations_is_an_error():
    with pytest.raises(NumericalError, match="does not converge"):
        run(lambda_sf=1e-3, lambda_J=1.0, lambda_phi=1e-3, max_iterations=1, tolerance=1e-14)


def test_a_quantity_that_no_term_has():
    with pytest.raises(ConfigError, match="no quantity 'S'"):
        mm.Simulation(config(**WALL)).quantity("S")


# ------------------------------------------------------------------------- charge current


def test_a_current_goes_round_a_hole(backend):
    """It is conserved in every cell, none flows in the hole, more flows beside it."""
    nx, ny = 48, 32
    cfg = config(
        mesh={"cells": [nx, ny, 1], "cell_size": [2e-9] * 3},
        geometry={"difference": [{"box": {"size": [1, 1, 1]}}, {"cylinder": {"diameter": 20e-9}}]},
        torques={"transport": {**DRIVEN, "distribution": "solved"}},
    )
    model = measuring_engine(cfg, backend, random_m((1, ny, nx))).model
    (term,) = [t for t in model.terms if type(t).__name__ == "Transport"]
    sigma = term.materials(model, 0).sigma
    current = term._current(model, sigma)
    net = (current.upper - current.lower).sum(axis=0)
    assert np.abs(net).max() < 1e-6 * 1e12
    assert np.all(current.centre[:, sigma == 0] == 0)
    across = current.upper[0].sum(axis=(0, 1))
    assert np.allclose(across, 1e12 * ny, rtol=1e-6)
    assert current.centre[0].max() > 1.5e12
