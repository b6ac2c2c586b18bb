"""Demagnetizing tensor: values between cells, sums over periodic images, spectrum, disk cache."""

from .cache import cached_spectrum
from .components import COMPONENTS, ODD_AXES
from .tensor import TensorSpectrum, demag_tensor, padded_lengths, tensor_spectrum

__all__ = [
    "COMPONENTS",
    "ODD_AXES",
    "TensorSpectrum",
    "cached_spectrum",
    "demag_tensor",
    "padded_lengths",
    "tensor_spectrum",
]
