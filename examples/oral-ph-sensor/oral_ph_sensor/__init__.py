"""An intra-oral pH and temperature sensor."""
