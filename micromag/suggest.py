"""The nearest allowed name to one that was mistyped."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(name: str, allowed: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the nearest of ``allowed``, or an empty text."""
    import difflib

    names = [str(item) for item in allowed]
    by_lower = {item.lower(): item for item in reversed(names)}
    near = difflib.get_close_matches(name.lower(), list(by_lower), n=1, cutoff=0.6)
    return f"; did you mean {by_lower[near[0]]!r}?" if near else ""
