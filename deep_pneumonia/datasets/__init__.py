"""Published and own folders become a manifest."""
