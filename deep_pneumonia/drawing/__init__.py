"""Pictures and pages drawn with matplotlib."""
