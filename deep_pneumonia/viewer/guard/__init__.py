"""What stands between the network and the screens: hosts, origins, tokens, limits, headers, log and metrics."""
