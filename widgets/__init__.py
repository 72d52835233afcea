"""Reusable Qt and pyqtgraph widgets. They are given data and emit intents; they know no hub, no file, no engine."""
