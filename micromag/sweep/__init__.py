"""Sweeps: many replicas of one run file, computed in batches, collected in one table."""

from micromag.sweep.run import SweepResult, run_sweep

__all__ = ["SweepResult", "run_sweep"]
