"""The data of a run: training pairs and validation sets."""
