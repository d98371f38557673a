"""The clinician's loop: a reader corrects what comedo found, every number follows, the original stays as it was."""
