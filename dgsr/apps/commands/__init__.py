"""The commands of `dgsr`, one module each: `add_parser` declares the arguments, `run` executes the command."""
