"""Training: data module, objective, updates, the Lightning module and its callbacks."""
