"""Frozen diffusion models to restore with: one file a family, all behind one interface."""
