"""The whole line on one machine, on a fast clock: `python -m outreach.demo`."""
