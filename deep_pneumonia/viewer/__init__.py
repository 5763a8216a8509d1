"""The face in the browser; one file a screen."""
