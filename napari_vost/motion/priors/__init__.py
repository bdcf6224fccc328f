"""Motion priors, one file each."""
