"""Decode unknown files into pixels in [0, 1]."""
