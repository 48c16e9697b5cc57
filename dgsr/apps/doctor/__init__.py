"""The checks of `dgsr doctor`, one module each: `examine(cfg)` returns output for rich."""
