"""Plan, clear, publish and measure a secretariat's social media campaigns.

Read `outreach/app.py` first: it is everything this program can do.
"""
