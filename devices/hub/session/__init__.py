"""The secure session of hub protocol 2: handshake, records, signed messages, documents, journal. All is pure."""
