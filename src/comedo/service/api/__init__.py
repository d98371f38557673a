"""The HTTP interface under /api/v1: each route reads, calls one action, and answers with its view."""
