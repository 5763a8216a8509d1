"""Doctors' annotations: one mask type, read from and written to every format."""
