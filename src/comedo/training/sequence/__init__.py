"""Change over a series of photos of one person, told by a CNN for each photo and an LSTM over them."""
