"""Sweeps: many replicas of one run file, computed in batches, collected in one table."""
