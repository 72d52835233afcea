"""The tour: the main job end to end, with real processes, real frames and real windows, and the proof of it."""
