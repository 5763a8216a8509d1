"""The Review screen: work lists in the browser."""
