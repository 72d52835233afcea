"""Signals: the channel catalogue, the min/max pyramid, codecs, clock mapping."""
