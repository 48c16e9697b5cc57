"""The commands of `dgsr`, one a module: `add_parser` names its arguments, `run` imports what it needs and does it."""
