"""Data, augmentation, networks, losses, metrics, recipes, export: the extra `train`."""
