"""Networks, their weights and where they run."""
