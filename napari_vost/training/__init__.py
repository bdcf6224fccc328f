"""How vost-nano is trained: synthetic clips, real clips, losses, loop."""
