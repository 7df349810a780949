"""Content-addressed staging: each unique byte is read once from the source and sent once to the target."""
