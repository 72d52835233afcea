"""The application: commands, processes, engine, console."""

__version__ = "0.1.0"
