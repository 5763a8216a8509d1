"""An unknown file becomes pixels."""
