"""Out to other programs, and in from them: files in formats that others read."""
