"""Load and save generators and whole models: exported folders, training checkpoints, the authors' files."""

from dgsr.checkpoints.bare import save_training
from dgsr.checkpoints.kinds import kind_of, start_from
from dgsr.checkpoints.loading import Model, load_model
from dgsr.checkpoints.pretrained import load_estimator, load_pretrained, save_pretrained
from dgsr.checkpoints.s3diff import load_s3diff, save_s3diff

__all__ = [
    "Model",
    "kind_of",
    "load_estimator",
    "load_model",
    "load_pretrained",
    "load_s3diff",
    "save_pretrained",
    "save_s3diff",
    "save_training",
    "start_from",
]
