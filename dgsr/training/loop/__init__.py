"""The loop that all tasks share: steps, optimizers, validation, checkpoints and logs."""
