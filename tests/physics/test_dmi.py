"""Dzyaloshinskii-Moriya interaction: helices, walls, edges, skyrmions, spin waves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from reference import GHZ, MT, NM, NS, PS, check, note
from tilted_wall import equilibrium

import micromag as mm

MS = 580e3
FIRM = {"max_torque": 1e-7}


def magnet(
    cells: tuple[int, int, int], a: float, energy: list[Any], **sections: Any
) -> mm.Simulation:
    """Return a magnet of cubic cells in double precision."""
    given: dict[str, Any] = {
        "precision": "double",
        "mesh": mm.Mesh(
            cells=cells, cell_size=(a, a, a), periodic=sections.pop("periodic", (0, 0, 0))
        ),
        "material": {"Ms": MS, "alpha": 0.3},
        "initial": {"uniform": {"direction": [0, 0, 1]}},
    }
    return mm.Simulation(device="cpu", energy=energy, **(given | sections))


def pma(A: float, K: float, axis: tuple[float, float, float] = (0, 0, 1)) -> list[Any]:
    """Return exchange and a uniaxial anisotropy."""
    return [mm.Exchange(A=A), mm.UniaxialAnisotropy(Ku1=K, axis=axis)]


def total(sim: mm.Simulation) -> float:
    """Return the total energy [J]."""
    return sim.energies()["total"]


# -------------------------------------------------------------------- helices and walls


def test_the_helix_of_bulk_dmi():
    entry = check("helix_len")
    D, A = 3e-3, 16e-12
    length, density = entry.numbers("67.0206", "-140625")
    # With the period matched to the mesh ...
    cells = 67
    sim = magnet(
        (cells, 1, 1), length * NM / cells, [mm.Exchange(A=A), mm.BulkDmi(D=D)], periodic=(1, 0, 0)
    )
    phase = 2 * np.pi * np.arange(cells) / cells
    sim.m = np.array([0.3 + 0 * phase, np.cos(phase), np.sin(phase)]).reshape(3, 1, 1, cells)
    sim.minimize(**FIRM)
    entry.agrees(total(sim) / sim.config.mesh.volume, density, "energy density [J/m^3]")
    # ... and with free ends, where it takes the length that it likes.
    free = magnet((200, 1, 1), 1 * NM, [mm.Exchange(A=A), mm.BulkDmi(D=D)])
    start = 2 * np.pi * np.arange(200) / 60
    free.m = np.array([0 * start, np.cos(start), np.sin(start)]).reshape(3, 1, 1, 200)
    free.minimize(**FIRM)
    turned = np.unwrap(np.arctan2(free.m[2], free.m[1]).ravel())
    entry.agrees(2 * np.pi / np.diff(turned).mean(), length, "L, free ends [nm]")
    assert np.ptp(np.diff(turned)) < 1e-4


def two_walls(D: float, A: float, K: float) -> mm.Simulation:
    """Return a ring with one wall from +z to -z and one back."""
    cells, a = 240, 1 * NM
    sim = magnet((cells, 1, 1), a, [*pma(A, K), mm.InterfacialDmi(D=D)], periodic=(1, 0, 0))
    x = (np.arange(cells) + 0.5) * a
    width = np.sqrt(A / K)
    theta = 2 * np.arctan(np.exp((x - 60 * NM) / width))
    theta += 2 * np.arctan(np.exp((x - 180 * NM) / width))
    # A little along y, so that the handedness is found and not given.
    m = np.array([0.1 * np.sin(theta), np.sin(theta), np.cos(theta)])
    sim.m = m.reshape(3, 1, 1, cells)
    sim.relax(max_torque=1e-5)
    return sim


def test_energy_and_handedness_of_a_wall():
    entry = check("Dc")
    A, K = 16e-12, 510e3
    critical, sigma = entry.numbers("3.63710", "8.28469")

    def wall_energy(sim: mm.Simulation) -> float:
        mesh = sim.config.mesh
        return (total(sim) + K * mesh.volume) / (2 * mesh.cell_size[1] * mesh.cell_size[2]) * 1e3

    walls = {D: two_walls(D * 1e-3, A, K) for D in (1.0, -1.0, 3.0)}
    found = {D: wall_energy(sim) for D, sim in walls.items()}
    entry.agrees(found[1.0], sigma, "sigma at 1 mJ/m^2 [mJ/m^2]")
    assert found[-1.0] == pytest.approx(found[1.0], rel=1e-6)
    # sigma = 4 sqrt(A K) - pi |D| falls linearly.
    slope = (found[3.0] - found[1.0]) / 2
    entry.agrees(1 - found[1.0] / slope, critical, "D_c [mJ/m^2]")
    # D > 0: left-handed; m points along -x in the wall from +z to -z and along +x in the other.
    for D, sign in ((1.0, 1), (-1.0, -1)):
        m_x = sim_x = walls[D].m[0, 0, 0]
        assert sign * m_x[50:70].min() < -0.99 if sign > 0 else m_x[50:70].max() > 0.99
        assert np.abs(walls[D].m[1]).max() < 0.05
        assert sign * sim_x[170:190].sum() > 5


# -------------------------------------------------------------------- surfaces


def to_the_face(values: NDArray[Any]) -> float:
    """Return the extrapolation of cell values to the face beyond the last, by a parabola."""
    return float(15 * values[-1] - 10 * values[-2] + 3 * values[-3]) / 8


def strip(D: float, cells: int = 100, boundary: str = "natural", B: float = 0.0) -> mm.Simulation:
    """Return a relaxed strip of 100 nm along x, with a field B along y."""
    sim = magnet(
        (cells, 1, 1),
        100 * NM / cells,
        [
            *pma(16e-12, 510e3),
            mm.InterfacialDmi(D=D, boundary=boundary),
            mm.Zeeman(B=(0, B, 0)),
        ],
    )
    sim.minimize(**FIRM)
    return sim


@pytest.mark.parametrize(
    ("D", "listed"),
    [(1e-3, "0.175035"), (2e-3, "0.350070"), (3e-3, "0.525105"), (3.6e-3, "0.630126")],
)
def test_tilt_at_a_free_edge(D, listed):
    entry = check("edge")
    m = strip(D).m[:, 0, 0]
    right, left = to_the_face(m[0]), to_the_face(m[0, ::-1])
    entry.agrees(abs(right), entry.number(listed), f"|m_x|, D = {D * 1e3:g} mJ/m^2")
    assert right < 0 < left
    assert right == pytest.approx(-left, abs=1e-6)


def test_order_of_the_surface_condition():
    # With m out of the plane x-z the twist at the edge is not only one of m itself.
    def measured(cells: int, boundary: str) -> NDArray[Any]:
        sim = strip(3e-3, cells, boundary, B=0.8)
        return np.array([total(sim) / sim.config.mesh.size[1] ** 2, to_the_face(sim.m[1, 0, 0])])

    meshes = (50, 100, 200)
    natural, left_out = ([measured(n, b) for n in meshes] for b in ("natural", "open"))
    exact = natural[2] + (natural[2] - natural[1]) / 3
    for what, found, order in (("natural", natural, 2), ("open", left_out, 1)):
        errors = np.abs(np.array(found) - exact)
        orders = np.log2(errors[0] / errors[1])
        for name, value in zip(("energy", "m_y at the edge"), orders, strict=True):
            note("edge", f"order of the error, {what}, {name}", order, value, 0.35)
            assert value == pytest.approx(order, abs=0.35)


@pytest.mark.parametrize("kind", ["interfacial", "bulk"])
def test_tilt_at_the_end_of_a_wire(kind):
    entry = check("njp_1d")
    A, D, K = 13e-12, 3e-3, 0.4e6
    if kind == "interfacial":
        sim = magnet((100, 1, 1), 1 * NM, [*pma(A, K), mm.InterfacialDmi(D=D)])
    else:
        sim = magnet((100, 1, 1), 1 * NM, [*pma(A, K, (0, 1, 0)), mm.BulkDmi(D=D)])
        sim.m = np.array([0, 1, 0])
    sim.minimize(**FIRM)
    across = sim.m[0 if kind == "interfacial" else 2, 0, 0]
    entry.agrees(abs(to_the_face(across)), what=f"sin theta, {kind}")
    assert to_the_face(across) * to_the_face(across[::-1]) < 0


def test_the_twist_through_a_film_of_bulk_dmi():
    # Through the thickness m follows the helix whatever its angle: -D^2/4A times sin^2 theta.
    A, D = 16e-12, 3e-3
    sim = magnet((1, 1, 8), 1 * NM, [mm.Exchange(A=A), mm.BulkDmi(D=D)])
    sim.m = np.array([1, 0, 0])
    sim.minimize(**FIRM)
    density = total(sim) / sim.config.mesh.volume
    assert density == pytest.approx(-(D**2) / (4 * A), rel=3e-3)
    turned = np.unwrap(np.arctan2(sim.m[1], sim.m[0]).ravel())
    assert np.diff(turned) == pytest.approx(D / (2 * A) * 1 * NM, rel=4e-3)


def test_energy_is_conserved_with_twisted_surfaces():
    entry = check("conserve_alpha0")
    sim = magnet(
        (8, 6, 2),
        4 * NM,
        [*pma(13e-12, 4e5), mm.InterfacialDmi(D=2e-3), mm.BulkDmi(D=-1e-3)],
        geometry={"ellipse": {"size": [32 * NM, 24 * NM]}},
        material={"Ms": MS, "alpha": 0.0},
        initial={"random": {}},
        solver={"method": "rk4", "dt": 10e-15},
    )
    start = total(sim)
    sim.run(20 * PS)
    drift = abs(total(sim) / start - 1) / (20 * PS / NS)
    entry.agrees(drift, what="drift of the energy per ns, twisted")
    assert np.abs(sim.field("interfacial_dmi")).max() > 0.01


# -------------------------------------------------------------------- skyrmions

A_SKY, K_SKY = 15e-12, 0.8e6


def skyrmion(D: float, cells: int, a: float, polarity: int = -1, **sections: Any) -> mm.Simulation:
    """Return a relaxed skyrmion in a periodic film."""
    sim = magnet(
        (cells, cells, 1),
        a,
        [*pma(A_SKY, K_SKY), mm.InterfacialDmi(D=D)],
        periodic=(1, 1, 0),
        initial={"skyrmion": {"kind": "neel", "polarity": polarity, "radius": 6 * NM}},
        **sections,
    )
    sim.minimize(max_torque=1e-4)
    return sim


def lattice_charge(m: NDArray[Any]) -> float:
    """Return Q of a periodic film by Berg and Luescher: the solid angles of two triangles per cell."""
    a, b, c, d = (np.roll(m[:, 0], s, (1, 2)) for s in ((0, 0), (0, -1), (-1, -1), (-1, 0)))
    angle = 0.0
    for p, q, r in ((a, b, c), (a, c, d)):
        volume = (p * np.cross(q, r, axis=0)).sum(0)
        rest = 1 + (p * q).sum(0) + (q * r).sum(0) + (r * p).sum(0)
        angle += 2 * np.arctan2(volume, rest).sum()
    return float(angle / (4 * np.pi))


def test_energy_of_a_skyrmion():
    entry = check("sky_E")
    energy, dissipation = entry.numbers("2.54028e-10", "1.260738")
    found, tensor = [], []
    for cells, a in ((72, 0.75 * NM), (108, 0.5 * NM)):
        sim = skyrmion(3.5e-3, cells, a)
        mesh = sim.config.mesh
        found.append((total(sim) + K_SKY * mesh.volume) / mesh.size[2])
        steps = np.diff(sim.m[:, 0], axis=2, append=sim.m[:, 0, :, :1])
        tensor.append((steps**2).sum() / (4 * np.pi))
        Q = lattice_charge(sim.m)
        check("sky_Q").agrees(Q, -1, f"Q, core along -z, cells of {a / NM} nm")
    entry.agrees(found[1], energy, "energy per thickness [J/m]")
    entry.agrees(tensor[1], dissipation, "Dxx/4 pi")
    # The errors fall as the square of the cells' size.
    errors = np.array(found) / energy - 1
    assert errors[0] / errors[1] == pytest.approx(1.5**2, rel=0.25)
    up = skyrmion(3.5e-3, 72, 0.75 * NM, polarity=1)
    check("sky_Q").agrees(lattice_charge(up.m), 1, "Q, core along +z")


@pytest.mark.slow
@pytest.mark.parametrize(("D", "listed"), [(3e-3, "4.0178"), (3.5e-3, "5.6467"), (4e-3, "9.3201")])
def test_radius_of_a_skyrmion(D, listed):
    entry = check("sky_Wang")
    assert "5-16%" in entry.tolerance
    sim = skyrmion(D, 128, 0.5 * NM)
    profile = sim.m[2, 0, 64, 64:]
    radius = np.interp(0, profile, (np.arange(64) + 0.5) * 0.5)
    estimate = entry.number(listed)
    note("sky_Wang", f"R, D = {D * 1e3:g} mJ/m^2 [nm]", estimate, radius, 0.16 * radius)
    assert 0.05 <= abs(estimate / radius - 1) <= 0.16


@pytest.mark.slow
@pytest.mark.parametrize("Q", [1, -1])
def test_a_skyrmion_driven_by_current(Q):
    entry = check("sky_v")
    along, across = entry.numbers("99.2177", "6.2051")
    cells, a = 96, 0.5 * NM
    sim = skyrmion(
        3.5e-3,
        cells,
        a,
        polarity=Q,
        torques=[mm.ZhangLi(u=(100, 0, 0), beta=0.05)],
        output={"snapshots": {"every": 20 * PS}},
    )
    sim.set({"material.alpha": 0.1})
    sim.run(0.2 * NS)
    phase = 2 * np.pi * np.arange(cells) / cells
    path = []
    for _, fields in sim.snapshots[2:]:
        weight = 1 + Q * fields["m"][2, 0]
        path.append([np.angle((weight.sum(axis) * np.exp(1j * phase)).sum()) for axis in (0, 1)])
    places = np.unwrap(path, axis=0) * cells * a / (2 * np.pi)
    v = np.polyfit(np.arange(len(places)) * 20 * PS, places, 1)[0]
    entry.agrees(v[0], along, f"vx, Q = {Q} [m/s]")
    entry.agrees(v[1], Q * across, f"vy, Q = {Q} [m/s]")


# -------------------------------------------------------------------- tilted walls, spin waves


@pytest.mark.slow
def test_a_field_across_the_track_tilts_the_wall():
    entry = check("dw_tilt")
    tilt, angle = entry.numbers("8.02", "19.21")
    A, K, D, Ms, By = 16e-12, 0.51e6, 1.5e-3, 1.1e6, 50 * MT
    nx, ny, a = 80, 80, 2 * NM
    sim = magnet(
        (nx, ny, 1),
        a,
        [*pma(A, K), mm.InterfacialDmi(D=D), mm.Zeeman(B=(0, By, 0))],
        material={"Ms": Ms, "alpha": 0.3},
        initial={"domain_wall": {"kind": "neel", "from": "+z", "to": "-z", "angle": np.pi}},
    )
    sim.minimize(max_torque=1e-5)
    m, x = sim.m[:, 0], np.arange(nx) * a
    rows = range(ny // 4, ny - ny // 4)
    places = np.array([np.interp(0, -m[2, j], x) for j in rows])
    chi = np.degrees(np.arctan(-np.polyfit(np.array(rows) * a, places, 1)[0]))
    in_plane = [np.arctan2(m[1, j], -m[0, j]) for j in rows]
    phi = np.degrees(
        np.mean([np.interp(p, x, angles) for p, angles in zip(places, in_plane, strict=True)])
    )
    entry.agrees(phi, angle, "phi [deg]")
    # The entry's model takes phi for the same through the whole wall; the wall that may choose its
    # profile tilts by a sixth less, and by that much do the cells.
    exact = np.degrees(equilibrium(A, K, D, Ms, By))
    note("dw_tilt", "chi [deg]", tilt, abs(chi), 0.2 * tilt)
    note("dw_tilt", "chi, free profile [deg]", exact[0], chi, 0.04 * abs(exact[0]))
    assert abs(exact[0]) == pytest.approx(tilt, rel=0.2)
    assert chi == pytest.approx(exact[0], rel=0.04)
    assert phi == pytest.approx(exact[1], rel=0.02)


def test_spin_waves_are_not_reciprocal():
    entry = check("sw_dmi")
    k, cells, Ms = 2e7, 64, 8e5
    a = 2 * np.pi / (k * cells)
    f = {}
    for sign in (1, -1):
        sim = magnet(
            (cells, 1, 1),
            a,
            [mm.Exchange(A=13e-12), mm.InterfacialDmi(D=1e-3), mm.Zeeman(B=(0, 0.1, 0))],
            periodic=(1, 0, 0),
            material={"Ms": Ms, "alpha": 0.0},
            solver={"max_error": 1e-9},
        )
        wave = np.exp(sign * 2j * np.pi * np.arange(cells) / cells)
        m = np.array([1e-3 * wave.imag, np.ones(cells), 1e-3 * wave.real])
        sim.m = m.reshape(3, 1, 1, cells)
        sim.run(40 * PS)
        turned = np.angle((sim.m[2] + 1j * sim.m[0]).ravel() / wave)
        assert np.ptp(turned) < 1e-3
        f[sign] = turned.mean() / (2 * np.pi * sim.t) / GHZ
    # m_z + i m_x ~ exp(i (k x + omega t)): for D > 0 waves towards -x are the faster ones.
    entry.agrees(f[1] - f[-1], what="f(k) - f(-k) [GHz]")
