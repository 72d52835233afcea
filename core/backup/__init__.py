"""Backups, restoring them, and erasing a patient from record and backups alike. `docs/decisions/0022-erasure.md`."""
