"""Cases, verdicts and predictions on disk."""
