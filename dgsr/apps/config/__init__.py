"""Compose and check configs, and read command lines; no module here imports torch."""
