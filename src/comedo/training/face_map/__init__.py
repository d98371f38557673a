"""The face map: parts of the face, as a task of the runner."""
