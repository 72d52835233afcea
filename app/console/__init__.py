"""app/console"""
