"""What the product takes, measured; goals are reported here, never asserted."""
