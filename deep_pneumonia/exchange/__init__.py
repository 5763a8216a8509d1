"""A work list out, and in again."""
