"""Plan, clear, publish and measure a secretariat's social media campaigns.

Read `outreach/app.py` first: it is everything this program can do.
"""

import gc

# Importing makes a hundred thousand objects that all stay: to look for garbage among them after
# every 700 takes a tenth of the start. What comes later is looked at often enough like this.
gc.set_threshold(150_000, *gc.get_threshold()[1:])
