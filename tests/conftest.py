"""Fixtures of all tests: every backend that this machine has."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from micromag.backend import Backend, get_backend
from micromag.errors import DeviceError

REQUIRE_GPU = os.environ.get("MICROMAG_REQUIRE_GPU") == "1"
"""Whether a missing GPU fails the tests that need one; without it they are skipped."""


@pytest.fixture(scope="session")
def cuda_backend() -> Iterator[Backend]:
    """The first CUDA device."""
    try:
        backend = get_backend("cuda")
    except DeviceError as error:
        if REQUIRE_GPU:
            pytest.fail(f"MICROMAG_REQUIRE_GPU=1, but: {error}")
        pytest.skip(error.what)
    with backend:
        yield backend


@pytest.fixture(params=["cpu", "cuda"])
def backend(request: pytest.FixtureRequest) -> Backend:
    """Each backend in turn."""
    if request.param == "cuda":
        return request.getfixturevalue("cuda_backend")
    return get_backend("cpu")
