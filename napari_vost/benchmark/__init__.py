"""Speed and quality of the engine."""
