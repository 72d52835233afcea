"""app/engine"""
