"""Says whether a recording can be mapped, and if not, why not and what to do."""
