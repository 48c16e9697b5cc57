"""The same recipes through BasicSR 1.4.2; the only place that knows that package."""
