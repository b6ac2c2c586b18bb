"""Time integration and minimisation: tableaus as data, one engine for them, and the descent."""
