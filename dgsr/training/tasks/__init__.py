"""What a run can train: one file per task, each with its whole training step."""
