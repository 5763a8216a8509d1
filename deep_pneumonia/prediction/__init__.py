"""A checkpoint reads one radiograph."""
