"""devices/bumble_backend"""
