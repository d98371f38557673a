"""Proxy labels from clinicians' notes: what a note says of the course of acne, and which words say it."""
