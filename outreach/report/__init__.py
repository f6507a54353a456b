"""The month's report: facts in, pure arithmetic, one frozen Report, and documents from it.

facts.py is what goes in, compute.py makes the Report (value.py) of it, documents/ writes it.
"""
