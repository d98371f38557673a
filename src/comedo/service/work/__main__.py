"""`python -m comedo.service.work NAME`: one worker process, started by `comedo serve`."""

from __future__ import annotations

import sys

from comedo.service.work.worker import main

main(sys.argv[1] if len(sys.argv) > 1 else "worker")
