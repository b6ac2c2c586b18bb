"""The GPU's compile path on a machine without a GPU: text to cubin."""

from __future__ import annotations

import pytest
from kernel_text import BODY, source

from micromag.backend import nvrtc
from micromag.errors import DeviceError

try:
    nvrtc.version()
except DeviceError as error:
    pytest.skip(error.what, allow_module_level=True)


@pytest.mark.parametrize("precision", ["single", "double"])
@pytest.mark.parametrize("arch", ["sm_75", "sm_90", "sm_120"])
def test_kernels_compile_for_every_generation(arch, precision):
    data = nvrtc.cubin(source(precision), arch).read_bytes()
    assert data[:4] == b"\x7fELF"
    for name in (b"difference", b"square_sums", b"count_up"):
        assert name in data


def test_several_are_compiled_in_the_order_asked_for():
    sources = [source("single"), source("double"), source(PERIODIC_X=1)]
    assert nvrtc.cubins(sources, "sm_90") == [nvrtc.cubin(s, "sm_90") for s in sources]


def test_the_compilers_words_are_shown():
    with pytest.raises(DeviceError, match=r"test\.cu\(\d+\): error: identifier \"missing_name\""):
        nvrtc.cubin(source(body=BODY + "\nint forgotten = missing_name;\n"), "sm_90")


def test_an_unknown_architecture_is_a_device_error():
    with pytest.raises(DeviceError, match="gpu-architecture"):
        nvrtc.cubin(source(), "sm_31")


def test_without_nvrtc_the_remedy_is_named(monkeypatch):
    monkeypatch.setattr(nvrtc, "_candidates", lambda: iter(["/nowhere/libnvrtc.so"]))
    nvrtc._library.cache_clear()
    with pytest.raises(DeviceError, match=r"pip install 'micromag\[cuda13\]'"):
        nvrtc.cubin(source(), "sm_90")
    monkeypatch.undo()
    nvrtc._library.cache_clear()
    nvrtc.version()
