"""Everything one training run needs."""
