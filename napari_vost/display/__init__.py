"""How a clip lies on the screen: planes, sides, grid, read-out, windows, speed. Numbers and words only, no window."""
