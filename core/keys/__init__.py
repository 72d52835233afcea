"""The practice's keys: its own certificate authority, and how its secrets are kept."""
