"""Analyses of finished results: each file of this package is one key."""

from micromag.analysis.base import Analysis
from micromag.registry import Registry

ANALYSES: Registry[Analysis] = Registry("micromag.analysis", Analysis)
"""All analyses by key."""

__all__ = ["ANALYSES", "Analysis"]
