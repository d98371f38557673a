"""A store filled with a rendered person's twelve weeks, so that every page has something to show."""
