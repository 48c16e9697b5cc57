"""Train: the tasks, the loop that they share, critics, data and callbacks."""
