"""Drivers of other makers: what they are given (`api`), and how they are kept from doing harm (`host`)."""
