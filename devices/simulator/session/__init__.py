"""The hub's side of the secure session, on an EDHOC of its own: each connection tests two implementations together."""
