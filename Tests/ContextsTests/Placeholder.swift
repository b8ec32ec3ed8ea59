// Contexts
