"""core/procedure"""
