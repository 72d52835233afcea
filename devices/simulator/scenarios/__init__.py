"""What can be done to a hub on purpose: attacks, faults, the body. Each has a name by which anybody starts it.

All act at the hub's GATT boundary, so that they work in one process, across processes, and on a real dongle. What each
attack proves, and which test holds it to that, stands in docs/security.md.
"""
