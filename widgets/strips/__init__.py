"""Live strips: traces that sweep over 30 s, rastered by numpy into a pyqtgraph scene.

Importing `widgets.strips.strips` imports pyqtgraph, which takes a third of a second: do it after the window is up.
"""
