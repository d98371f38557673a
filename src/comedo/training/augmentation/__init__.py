"""Changes of training photos: parameters are drawn first, seeded, then applied."""
