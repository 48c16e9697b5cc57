"""Degradation-guided one-step image super-resolution with diffusion priors."""
