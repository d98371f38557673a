"""Change over time: alignment, comparability, the lesion ledger, noise, and the verdict."""
