"""devices/vitals"""
