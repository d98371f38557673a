"""Work that takes long: done by processes of its own, so that pages stay quick and a bad photo harms nobody."""
