"""What a review of any length reads: cells over the settled blocks. `docs/record.md` explains it."""

SIGNALS = (
    "ALTER TABLE block ADD COLUMN settled INTEGER NOT NULL DEFAULT 0",
    # What is not settled yet is little, and is asked for often.
    "CREATE INDEX block_loose ON block (channel, stream, first_index) WHERE settled = 0",
    """CREATE TABLE summary (
        channel INTEGER NOT NULL, level INTEGER NOT NULL, page INTEGER NOT NULL, visit TEXT NOT NULL,
        cells BLOB NOT NULL, PRIMARY KEY (channel, level, page, visit)
    ) STRICT, WITHOUT ROWID""",
)
