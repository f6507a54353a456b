"""Breaking the program on purpose, with real processes, and counting what went out.

`make drill` prints the table at length; `test_drill.py` runs the same with fewer posts.
"""
