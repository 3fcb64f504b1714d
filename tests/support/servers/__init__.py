"""Real servers of a test's own: on free ports, in temporary folders, ended by whoever started them."""
