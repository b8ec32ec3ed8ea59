// Filled with the next changes.
