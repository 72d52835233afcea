"""A package, so that no other of this name is found first: textstat installs one."""
