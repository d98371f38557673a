"""One script for each change of the tables; a script never changes after a release."""
