"""The common way of every recipe: examples, network and loss of a task go through Lightning to a measured file."""
