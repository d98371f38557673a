"""The numbers that follow training: cut-offs, count intervals, severity, the weighing of candidates."""
