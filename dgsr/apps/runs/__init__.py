"""Start, resume and record runs of the two programs."""
