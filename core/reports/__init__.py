"""Reports: what a visit was, for the person it was done to."""
