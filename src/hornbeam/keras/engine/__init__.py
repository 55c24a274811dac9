"""The engine: layers, graphs of layers, and what surrounds a call."""
