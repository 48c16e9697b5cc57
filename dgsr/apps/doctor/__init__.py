"""What `dgsr doctor` can find out about a run, one check a module: `examine(cfg)` returns what rich prints."""
