"""The secure session of hub protocol 2.0: handshake, records, signed messages, documents, journal. All is pure."""
