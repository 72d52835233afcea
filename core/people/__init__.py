"""core/people"""
