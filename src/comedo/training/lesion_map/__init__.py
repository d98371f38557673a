"""The lesion map: centres, masks, radii and groups of lesions, as a task of the runner."""
