"""From a checkpoint and one radiograph to a prediction."""
