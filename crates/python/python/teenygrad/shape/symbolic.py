"""Symbolic sizes: in teenygrad all sizes are numbers."""

sint = int
