"""Figures: what each one means, how it is collected, and where it came from.

A figure that nobody gave us is absent, with the reason why; it is never zero.
"""
