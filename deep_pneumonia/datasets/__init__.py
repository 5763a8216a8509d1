"""Published data sets and users' own folders, read into one manifest."""
