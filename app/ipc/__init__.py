"""How console and engine talk: typed messages over a local socket, samples through a mapped ring."""
