"""core/reports"""
