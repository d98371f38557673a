"""A predictor on labelled photos: figures, baselines, pictures."""
