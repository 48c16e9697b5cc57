"""Training tasks: one file per task, with its complete training step."""
