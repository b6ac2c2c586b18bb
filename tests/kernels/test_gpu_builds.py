"""Every variant of the kernels compiles for every generation of GPUs, on a machine without one."""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

import pytest
from kernel_variants import (
    Structure,
    all_structures,
    distinct_sources,
    sources_of,
    term_structures,
    thinned,
)

from micromag.backend import nvrtc
from micromag.backend.base import Source
from micromag.backend.signature import parse_signatures
from micromag.errors import DeviceError

try:
    nvrtc.version()
except DeviceError as error:
    pytest.skip(error.what, allow_module_level=True)

ARCHITECTURES = ["sm_75", "sm_90", "sm_120"]


def complaint(named: tuple[str, Source], arch: str) -> str | None:
    """Compile one translation unit; return what is wrong with it, or None."""
    name, source = named
    try:
        cubin = nvrtc.compile_cubin(source, arch)
    except DeviceError as error:
        return f"{name}: {error}"
    missing = [k for k in parse_signatures(source.text) if k.encode() not in cubin]
    return f"{name}: no kernel {', '.join(missing)} in the cubin" if missing else None


@pytest.mark.slow
def test_all_terms_together_compile():
    (variant,) = [
        v for v in term_structures() if v.name == "all terms by region, double, 3-D, open"
    ]
    problems = [complaint((s.name, s), "sm_90") for s in sources_of(variant.config)]
    assert not any(problems), problems


def compile_all(structures: Iterable[Structure], arch: str) -> None:
    """Compile every translation unit of the structures on all cores; all problems are told at once."""
    sources = distinct_sources(structures)
    workers = len(os.sched_getaffinity(0))
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        found = pool.map(partial(complaint, arch=arch), sources, chunksize=8)
        problems = [problem for problem in found if problem]
    print(f"{len(sources)} translation units for {arch}, {len(problems)} problems")
    assert not problems, "\n".join(problems[:20])


@pytest.mark.slow
@pytest.mark.timeout(2400)
@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_opposite_variants_compile(arch):
    """Every term, method, window and shipped run file, on grids that differ in everything."""
    compile_all(thinned(all_structures()), arch)


@pytest.mark.slow
@pytest.mark.timeout(4800)
@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_every_variant_compiles(arch):
    compile_all(all_structures(), arch)
