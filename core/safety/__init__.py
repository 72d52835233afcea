"""core/safety"""
