"""What a mask measures."""
