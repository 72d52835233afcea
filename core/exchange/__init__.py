"""What goes to other programs, and what comes from them. What people read is made in `core/reports`."""
