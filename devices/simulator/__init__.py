"""devices/simulator"""
