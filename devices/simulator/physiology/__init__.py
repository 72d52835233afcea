"""The simulated patient, one organ a file; figures in `resources/physiology.toml`, words in docs/physiology.md."""
