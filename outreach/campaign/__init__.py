"""Campaign files: reading them, working out when, and what applying them would change."""
