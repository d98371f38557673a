"""From documents to what a template shows: plain values and finished words, no I/O."""
