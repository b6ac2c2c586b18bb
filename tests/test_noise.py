"""Counter-based noise: the numbers themselves, whom they belong to, and when they are drawn."""

from __future__ import annotations

import numpy as np
import pytest
from formulas.philox import deviates, philox
from magnets import advance, config, random_m, stepper

from micromag.backend import Items, Source, get_backend
from micromag.backend.source import read_kernel_file
from micromag.model import Model

WORDS = """
KERNEL words(ITEMS, const unsigned* RESTRICT in, unsigned* out) {
  EACH_ITEM(i)
    const unsigned* q = in + 6 * i;
    const Words w = philox(Words{q[0], q[1], q[2], q[3]}, q[4], q[5]);
    out[4 * i] = w.a; out[4 * i + 1] = w.b; out[4 * i + 2] = w.c; out[4 * i + 3] = w.d;
  END_ITEM
}
"""
# Counter, key and words as published with the paper (Random123, kat_vectors).
KNOWN = (
    ("00000000 00000000 00000000 00000000", "00000000 00000000",
     "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff",
     "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0",
     "d16cfe09 94fdcceb 5001e420 24126ea1"),
)  # fmt: skip
SEED = 0x299F31D0A4093822
DT = 1e-13
CELLS = (7, 5, 3)


def hot(**sections):
    """Return a configuration at 300 K; its seed has more than 32 bits."""
    given = {
        "mesh": {"cells": list(CELLS), "cell_size": [5e-9, 5e-9, 5e-9]},
        "energy": {"thermal": {"temperature": 300}},
        "seed": SEED,
    }
    return config(**{**given, **sections})


def noise(made, replica: int = 0) -> np.ndarray:
    """Return the deviates of the last step."""
    engine = made.engine
    interval = engine.column("noise_dt")[replica]
    (array,) = engine.noise.values()
    return engine.backend.download(array)[replica].astype(float) * np.sqrt(interval)


def numbers(text: str) -> list[int]:
    return [int(word, 16) for word in text.split()]


def test_known_answers_of_the_generator(backend):
    source = Source(
        "words", read_kernel_file("portable.h") + read_kernel_file("random.h") + WORDS, {}, "single"
    )
    (module,) = backend.compile([source])
    given = np.array([numbers(f"{c} {k}") for c, k, _ in KNOWN], dtype=np.uint32)
    out = backend.zeros((len(KNOWN), 4), np.uint32)
    backend.program([module.kernel("words").bind(Items(3), backend.upload(given), out)]).run()
    expected = [numbers(words) for _, _, words in KNOWN]
    assert backend.download(out).tolist() == expected
    for (counter, key, _), words in zip(KNOWN, expected, strict=True):
        assert [int(w) for w in philox(tuple(numbers(counter)), tuple(numbers(key)))] == words


@pytest.mark.parametrize("precision", ["single", "double"])
def test_the_deviates_are_those_of_cell_step_and_seed(precision, backend):
    made = stepper(hot(precision=precision), backend, random_m(CELLS[::-1]), "heun", dt=DT)
    made.aim(1.0)
    for step in range(3):
        made.steps(1)
        expected = deviates(CELLS[::-1], SEED, step)
        assert np.abs(noise(made) - expected).max() < 5e-6
    # Past 2^32 steps the counter goes on.
    made.engine.write_clock(steps=float(2**32 + 7))
    made.start()
    made.aim(1.0)
    made.steps(1)
    assert np.abs(noise(made) - deviates(CELLS[::-1], SEED, 2**32 + 7)).max() < 5e-6


def test_the_noise_is_white_and_normal(backend):
    cells = (64, 32, 16)
    made = stepper(
        hot(mesh={"cells": list(cells), "cell_size": [5e-9] * 3}), backend, None, "heun", dt=DT
    )
    made.engine.set_m(random_m(cells[::-1]))
    made.aim(1.0)
    steps = []
    for _ in range(12):
        made.steps(1)
        steps.append(noise(made))
    n = np.array(steps)  # step, component, z, y, x
    count = n.size  # 1.2 million
    assert abs(n.mean()) < 4 / np.sqrt(count)
    assert abs((n**2).mean() - 1) < 4 * np.sqrt(2 / count)
    assert abs((n**3).mean()) < 4 * np.sqrt(15 / count)
    assert abs((n**4).mean() - 3) < 4 * np.sqrt(96 / count)
    for x in (0.5, 1.0, 2.0, 3.0, 4.0):  # tails beyond x, both sides
        share = {0.5: 0.6170751, 1.0: 0.3173105, 2.0: 0.0455003, 3.0: 0.0026998, 4.0: 6.334e-5}[x]
        assert abs((np.abs(n) > x).mean() - share) < 4.5 * np.sqrt(share / count)
    for axis in range(
        5
    ):  # no correlation with the next step, component or cell, nor of the squares
        a, b = np.moveaxis(n, axis, 0)[:-1], np.moveaxis(n, axis, 0)[1:]
        assert abs((a * b).mean()) < 4.5 / np.sqrt(a.size)
        assert abs(((a**2 - 1) * (b**2 - 1)).mean()) < 4.5 * 2 / np.sqrt(a.size)


@pytest.mark.parametrize("options", [{"dt": DT}, {"max_dt": 5 * DT, "max_error": 3e-6}])
@pytest.mark.parametrize("precision", ["single", "double"])
def test_a_replica_has_the_same_bits_alone_and_in_a_batch(precision, options, backend):
    energy = {"thermal": {"temperature": 300}, "zeeman": {"B": [0, 0, 0.3]}}
    m = random_m(CELLS[::-1], seed=4)
    single = [
        hot(precision=precision, seed=seed, energy={**energy, "thermal": {"temperature": T}})
        for seed, T in ((11, 300), (12, 300), (11, 300), (11, 100))
    ]
    together = stepper(single, backend, np.stack([m] * 4), "heun", **options)
    advance(together, 40 * DT)
    final = [together.engine.m(i) for i in range(4)]
    for replica in (0, 1, 3):
        alone = stepper(single[replica], backend, m[None], "heun", **options)
        advance(alone, 40 * DT)
        assert np.array_equal(alone.engine.m(), final[replica])
    assert np.array_equal(final[0], final[2])
    assert not np.array_equal(final[0], final[1])
    if "dt" in options:  # equal seeds, other temperature: common noise
        a, b, c = (noise(together, i) for i in (0, 3, 1))
        assert np.allclose(a, b, atol=1e-6)
        assert abs((a * c).mean()) < 4 / np.sqrt(a.size)


def test_the_bits_do_not_depend_on_the_number_of_threads():
    results = []
    for threads in (1, 2):
        made = stepper(
            hot(energy={"thermal": {"temperature": 300}, "exchange": {"A": 1e-11}}),
            get_backend("cpu", threads), random_m(CELLS[::-1], seed=1)[None], "rk4", dt=DT,
        )  # fmt: skip
        advance(made, 20 * DT)
        results.append(made.engine.m())
    assert np.array_equal(*results)


def test_rejected_steps_are_repeated_under_the_same_noise(backend):
    """Noise stays until its interval is over, in however many steps, and is never thrown away."""
    replicas, attempts = 128, 150
    mesh = {"cells": [1, 1, 1], "cell_size": [2e-9] * 3}
    runs = [hot(mesh=mesh, seed=seed) for seed in range(replicas)]
    m = np.stack([random_m((1, 1, 1), seed=i) for i in range(replicas)])
    made = stepper(runs, backend, m, "heun", max_dt=20 * DT, max_error=3e-3)
    made.aim(1.0)
    names = ("t", "dt", "steps", "rejected", "noise_step", "noise_dt", "noise_end")
    before, drawn = [], []
    for _ in range(attempts):
        before.append([made.engine.column(name) for name in names])
        made.steps(1)
        (array,) = made.engine.noise.values()
        drawn.append(backend.download(array)[:, :, 0, 0, 0].astype(float))
    t, dt, steps, rejected, number, interval, end = np.moveaxis(np.array(before), 1, 0)
    assert rejected[-1].sum() > 0.1 * steps[-1].sum()
    opens = np.vstack([np.ones((1, replicas), bool), np.diff(number, axis=0) > 0])
    assert (number[opens] == steps[opens]).all() and (interval[opens] == dt[opens]).all()
    assert np.allclose(end[opens], t[opens] + dt[opens], rtol=1e-15)
    assert (t + dt <= end * (1 + 1e-15)).all()
    assert (dt[~opens] < interval[~opens]).any()
    noise = np.array(drawn)
    assert (noise[1:][~opens[1:]] == noise[:-1][~opens[1:]]).all()
    assert (t[1:][opens[1:]] == end[:-1][opens[1:]]).all()
    # Of all noise the mean square is 1, counted by intervals and by time: nothing weakens it.
    squares = (noise[opens] ** 2).mean(axis=1) * interval[opens]
    error = np.sqrt(2 / 3 / squares.size)
    assert squares.mean() == pytest.approx(1, abs=4 * error)
    weights = interval[opens] / interval[opens].mean()
    error *= np.sqrt((weights**2).mean())
    assert (weights * squares).mean() == pytest.approx(1, abs=4 * error)


def test_noise_goes_on_where_a_run_stops_for_output(backend):
    """Steps that outputs cut short have noise of their own length; a repetition has the same bits."""
    results = []
    for _ in range(2):
        made = stepper(hot(), backend, random_m(CELLS[::-1])[None], "heun", dt=DT)
        for stop in (2.5, 3.25, 10.0):
            advance(made, stop * DT)
        assert made.engine.column("steps")[0] == 11
        results.append(made.engine.m())
    assert np.array_equal(*results)


def test_relaxing_and_measuring_know_no_noise(backend):
    quiet = hot(energy={"zeeman": {"B": [0, 0, 0.3]}})
    loud = hot(energy={"thermal": {"temperature": 300}, "zeeman": {"B": [0, 0, 0.3]}})
    m = random_m(CELLS[::-1])
    engines = []
    for run in (loud, quiet):
        made = stepper(run, backend, m[None], "heun", dt=DT)
        made.aim(1.0)
        made.steps(1)
        made.engine.set_m(m)
        engines.append(made.engine)
    noisy, still = (engine.measure() for engine in engines)
    assert noisy.max_torque == pytest.approx(still.max_torque)
    assert noisy.energies == pytest.approx(still.energies)
    assert engines[0].model.energy_names == ["zeeman"]
    assert Model([loud], noise=False).energy_names == Model([loud], noise=False).names == ["zeeman"]


def test_without_noise_the_kernels_are_those_of_before():
    text = Model([hot(energy={"zeeman": {"B": [0, 0, 0.3]}})]).kernel_text("llg.cu")
    assert "noise_0" not in text and "#define NOISES 0" in text
    assert "noise_0" in Model([hot()]).kernel_text("llg.cu")
