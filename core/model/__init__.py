"""Frozen types that every room may import."""
