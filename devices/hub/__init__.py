"""devices/hub"""
